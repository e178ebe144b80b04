"""Signed keys and media: a key reaches its own models alone, whatever the form says, and pays for what it gets."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from proxy.estimate import Estimate, guessed
from proxy.fields import Fields
from tests.keys.signing import SECRET, key_text, keys_url
from tests.keys.test_charged_calls import settled
from tests.support import Log, Proxy, RawUpstream, proxy, sending

SERVED = "gpt-4o,whisper=my-whisper,scribe,painter,speaker"
JSON, MP3 = b"content-type: application/json", b"content-type: audio/mpeg"
SOUND = ("a.mp3", b"\xff\xfb" * 20_000)
TOLD = {"usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 6, "total_tokens": 20}}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("media") / "stderr")


@pytest.fixture(scope="module")
def media(upstream: RawUpstream, heard: Log) -> Iterator[Proxy]:
    settings = {"PROXY_SIGNING_KEY": SECRET, "AZURE_OPENAI_DEPLOYMENT": SERVED}
    with heard.path.open("wb") as file, proxy(upstream.base, settings, verbose=True, log=file) as running:
        yield running


def ask(proxy: Proxy, key: str, route: str, **sent: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}", "x-client-request-id": key[-9:], **sent.pop("headers", {})}
    return httpx.post(f"{keys_url(proxy)}/{route}", headers=headers, timeout=20, **sent)


def transcribed(proxy: Proxy, key: str, **fields: str) -> httpx.Response:
    return ask(proxy, key, "audio/transcriptions", files={"file": SOUND}, data={"model": "scribe", **fields})


# --- what a key is for ------------------------------------------------------------------------------------------------


def test_a_key_is_for_its_models_in_forms_and_in_json(media: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(json.dumps(TOLD).encode(), JSON)
    key = key_text("models", models=("scribe", "speaker"))
    assert transcribed(media, key).status_code == 200
    assert b'name="model"\r\n\r\nscribe\r\n' in upstream.arrived[-1].body
    upstream.arrived.clear()
    speech = {"input": "Hi", "voice": "alloy"}
    refused = [
        transcribed(media, key, model="whisper"),
        transcribed(media, key, model="my-whisper"),
        ask(media, key, "images/edits", files={"image": SOUND}, data={"model": "painter", "prompt": "x"}),
        ask(media, key, "images/generations", json={"model": "painter", "prompt": "x"}),
        ask(media, key, "audio/speech", json={"model": "gpt-4o", **speech}),
    ]
    told = [(answer.status_code, answer.json()["error"]["code"]) for answer in refused]
    assert told[:1] + told[2:] == [(403, "model_not_in_key")] * 4
    assert told[1] == (404, "model_not_found")
    assert upstream.arrived == []


MODEL = b'Content-Disposition: form-data; name="model"\r\n\r\n'
NAMED = re.compile(re.escape(MODEL) + rb"(.*)\r\n|my-whisper|bXktd2hpc3Blcg")
FILE = b'Content-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
SMUGGLED = {
    "a second part": [MODEL + b"scribe", MODEL + b"my-whisper"],
    "a second part in capitals": [MODEL + b"scribe", MODEL.replace(b"model", b"MODEL") + b"my-whisper"],
    "a list": [MODEL + b"scribe", MODEL.replace(b"model", b"model[]") + b"my-whisper"],
    "behind line feeds, in the file": [
        MODEL + b"scribe",
        FILE + b"\n--x\n" + MODEL.replace(b"\r", b"") + b"my-whisper\n",
    ],
    "behind carriage returns": [MODEL + b"scribe", FILE + b"\r--x\r" + MODEL.replace(b"\n", b"") + b"my-whisper\r"],
    "behind the end": [MODEL + b"scribe\r\n--x--", MODEL + b"my-whisper"],
    "in parts of a part": [
        MODEL + b"scribe",
        b'Content-Disposition: form-data; name="y"\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n'
        + MODEL
        + b"my-whisper\r\n--z--",
    ],
    "as an extended name": [MODEL + b"scribe", b"Content-Disposition: form-data; name*=utf-8''model\r\n\r\nmy-whisper"],
    "behind a quoted quote": [
        MODEL + b"scribe",
        b'Content-Disposition: form-data; name="y"; filename="\\"; name="model"; x="\r\n\r\nmy-whisper',
    ],
    "in a folded header": [MODEL + b"scribe", b'Content-Disposition: form-data;\r\n name="model"\r\n\r\nmy-whisper'],
    "in an encoding": [
        MODEL.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"bXktd2hpc3Blcg=="
    ],
}


@pytest.mark.parametrize("way", SMUGGLED)
@pytest.mark.parametrize("address", ["v1/audio/transcriptions", "openai/deployments/scribe/audio/transcriptions"])
def test_no_form_smuggles_in_a_model(media: Proxy, upstream: RawUpstream, way: str, address: str) -> None:
    upstream.answer = sending(json.dumps(TOLD).encode(), JSON)
    upstream.arrived.clear()
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in [*SMUGGLED[way], FILE]) + b"--x--\r\n"
    headers = {
        "content-type": "multipart/form-data; boundary=x",
        "authorization": f"Bearer {key_text('way', models=('scribe',))}",
    }
    url = keys_url(media).removesuffix("v1") + address
    refused = httpx.post(url, headers=headers, content=body).status_code in (400, 403, 404)
    assert [name for sent in upstream.arrived for name in NAMED.findall(sent.body)] == [b"scribe"] * (not refused)
    assert refused or way == "in an encoding"  # the name in the path takes its place


def test_a_boundary_is_named_once(media: Proxy, upstream: RawUpstream) -> None:
    upstream.arrived.clear()
    key = key_text("boundary", models=("scribe",))
    one, other = (b"--%s\r\n" % mark + MODEL + name for mark, name in ((b"x", b"scribe"), (b"y", b"my-whisper")))
    body = one + b"\r\n" + other + b"\r\n--x--\r\n--y--\r\n"
    for kind in (
        "boundary=x; boundary=y",
        "boundary=y; BOUNDARY=x",
        "boundary=x; boundary*=y",
        'a="; boundary=y"; boundary=x',
    ):
        answer = ask(
            media, key, "audio/transcriptions", content=body, headers={"content-type": f"multipart/form-data; {kind}"}
        )
        assert answer.json()["error"]["code"] == "invalid_form", kind
    with httpx.Client() as client:
        twice = [("content-type", f"multipart/form-data; boundary={mark}") for mark in "xy"]
        answer = client.post(
            f"{keys_url(media)}/audio/transcriptions", headers=[*twice, ("api-key", key)], content=body
        )
    assert answer.json()["error"]["code"] == "invalid_form"
    assert upstream.arrived == []


def test_no_key_reads_a_container_whose_owner_nobody_knows(media: Proxy, upstream: RawUpstream) -> None:
    upstream.arrived.clear()
    headers = {"authorization": f"Bearer {key_text('container')}"}
    answer = httpx.get(f"{keys_url(media)}/containers/cntr_1/files/cfile_1/content", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "storing_is_off")
    assert upstream.arrived == []


# --- what a call costs ------------------------------------------------------------------------------------------------


def paid(proxy: Proxy, key: str) -> tuple[int, int, int]:
    told = settled(proxy, key, 1)
    return told["input_tokens"], told["output_tokens"], told["estimated"]


def test_azures_counts_are_charged(media: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(json.dumps(TOLD).encode(), JSON)
    transcribed(media, key := key_text("told", tokens_a_day=10_000))
    assert paid(media, key) == (14, 6, 0)


@pytest.mark.parametrize(
    ("told", "kind", "charged"),
    [
        ({"duration": 60.0, "text": "x" * 372}, JSON, (600, 100, 1)),
        ({"usage": {"type": "duration", "seconds": 60}, "text": "x" * 349}, JSON, (600, 101, 1)),
        ("x" * 400, b"content-type: text/plain", (100, 100, 1)),
    ],
)
def test_a_sound_is_charged_by_its_seconds_or_by_its_size(
    media: Proxy, upstream: RawUpstream, heard: Log, told: Any, kind: bytes, charged: tuple[int, int, int]
) -> None:
    upstream.answer = sending(told.encode() if isinstance(told, str) else json.dumps(told).encode(), kind)
    transcribed(media, key := key_text(f"seconds {str(told)[:12]}", tokens_a_day=10_000))
    assert paid(media, key) == charged
    assert heard.of(key[-9:])["estimated"] is True


def test_speech_is_charged_by_its_text(media: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(b"\0" * 100_000, MP3)
    key = key_text("speech", tokens_a_day=10_000)
    ask(media, key, "audio/speech", json={"model": "speaker", "input": "ü" * 300, "voice": "alloy"})
    inputs, outputs, estimated = paid(media, key)
    assert (outputs, estimated) == (400, 1)
    assert 75 <= inputs <= 90


@pytest.mark.parametrize(
    ("options", "tokens"),
    [({}, 6_240), ({"quality": "low"}, 408), ({"quality": "low", "n": 3}, 1_224), ({"partial_images": 2}, 6_440)],
)
@pytest.mark.parametrize("route", ["images/generations", "images/edits"])
def test_images_are_charged_by_quality_where_azure_tells_nothing(
    media: Proxy, upstream: RawUpstream, route: str, options: dict[str, Any], tokens: int
) -> None:
    upstream.answer = sending(json.dumps({"data": [{"b64_json": "A" * 400_000}]}).encode(), JSON)
    key = key_text(f"{route} {options}", tokens_a_day=100_000)
    sent = {"model": "painter", "prompt": "A lighthouse", **options}
    if route == "images/edits":
        ask(media, key, route, files={"image": SOUND}, data={name: str(value) for name, value in sent.items()})
    else:
        ask(media, key, route, json=sent)
    inputs, outputs, estimated = paid(media, key)
    assert (outputs, estimated) == (tokens, 1)
    assert (1_000 if route == "images/edits" else 0) < inputs < 1_050


def test_who_leaves_pays_for_the_whole_image() -> None:
    """Azure makes it all the same. The size of what came says nothing about its tokens."""
    fields = Fields("POST", "images/generations", status=200, outcome="caller_left", bytes_out=900_000)
    taken = guessed(fields, Estimate(10, 6_240, by_size=False), lambda: 2)
    assert (taken.output_tokens, taken.total_tokens, taken.estimated) == (6_240, 6_250, 1)


def test_a_call_that_its_key_cannot_pay_reaches_nobody(media: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(json.dumps(TOLD).encode(), JSON)
    key = key_text("poor", tokens_a_day=20)
    assert transcribed(media, key).status_code == 200
    paid(media, key)
    upstream.arrived.clear()
    answer = transcribed(media, key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "key_budget_used_up")
    assert upstream.arrived == []


def test_a_filtered_image_is_recorded_with_its_error(media: Proxy, upstream: RawUpstream, heard: Log) -> None:
    body = {"created": 1, "error": {"code": "contentFilter", "message": "Your task failed"}}
    upstream.answer = sending(json.dumps(body).encode(), JSON, status=b"400 Bad Request")
    key = key_text("filtered", tokens_a_day=10_000)
    assert ask(media, key, "images/generations", json={"model": "painter", "prompt": "x"}).json() == body
    assert heard.of(key[-9:])["error"] == "contentFilter"
    assert settled(media, key, 0)["total_tokens"] == 0
