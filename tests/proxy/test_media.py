"""Sounds, images and files through the real function, by the openai SDK; a small server stands for Azure."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import openai
import pytest

from tests.host.hosts import BACKENDS
from tests.support import Arrived, Log, Proxy, RawUpstream, proxy, sending

SERVED = {"AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini,whisper,scribe=my-scribe,speaker=my-speaker,painter=my-painter"}
SOUND, PICTURE = b"ID3\x04" + bytes(range(256)) * 40, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
JSON, SSE, MP3 = (b"content-type: " + kind for kind in (b"application/json", b"text/event-stream", b"audio/mpeg"))
V1 = "POST /openai/v1/{}?api-version=preview HTTP/1.1"
TOKENS = {"type": "tokens", "input_tokens": 14, "output_tokens": 6, "total_tokens": 20}
IMAGE = {"created": 1, "data": [{"b64_json": base64.b64encode(PICTURE * 9).decode()}]}
PAINTED = {"input_tokens": 50, "output_tokens": 272, "total_tokens": 322, "input_tokens_details": {"text_tokens": 50}}


@pytest.fixture(scope="module", params=BACKENDS)
def media(upstream: RawUpstream, log: Log, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    settings = (upstream.base, SERVED)
    with log.path.open("wb") as file, proxy(*settings, verbose=True, log=file, backend=request.param) as running:
        yield running


@pytest.fixture
def sdk(media: Proxy, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    named = {"x-client-request-id": request.node.name}
    with openai.OpenAI(
        base_url=media.base_url, api_key="unused", max_retries=0, default_headers=media.headers | named, timeout=10
    ) as client:
        yield client


def events(*told: dict[str, object], end: bytes = b"") -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (str(e["type"]).encode(), json.dumps(e).encode()) for e in told) + end


def streaming(body: bytes, pieces: int = 7) -> Callable[[Arrived, socket.socket], None]:
    size = len(body) // pieces + 1
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + SSE + b"\r\ntransfer-encoding: chunked\r\n\r\n"
    return lambda _, sock: sock.sendall(head + sent)


def arrived(upstream: RawUpstream, route: str) -> Arrived:
    assert upstream.arrived[-1].line == V1.format(route)
    return upstream.arrived[-1]


# --- sounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["whisper", "scribe"])
def test_a_sound_is_written_down(upstream: RawUpstream, sdk: openai.OpenAI, log: Log, model: str) -> None:
    upstream.answer = sending(json.dumps({"text": "Grüß Gott", "usage": TOKENS}).encode(), JSON)
    told = sdk.audio.transcriptions.create(model=model, file=("a.mp3", SOUND), temperature=0.5)
    assert told.text == "Grüß Gott"
    form = arrived(upstream, "audio/transcriptions")
    deployment = {"whisper": b"whisper", "scribe": b"my-scribe"}[model]
    assert b'name="model"\r\n\r\n%s\r\n' % deployment in form.body
    assert SOUND in form.body
    assert form.headers["content-length"] == str(len(form.body))
    record = log.of(sdk.default_headers["x-client-request-id"])  # type: ignore[arg-type]
    assert (record["route"], record["model"], record["deployment"]) == (
        "audio/transcriptions",
        model,
        deployment.decode(),
    )
    assert (record["input_tokens"], record["output_tokens"], record["total_tokens"]) == (14, 6, 20)


@pytest.mark.parametrize("shape", ["srt", "vtt", "text"])
def test_a_transcript_in_text_passes_and_stays_out_of_the_record(
    upstream: RawUpstream, sdk: openai.OpenAI, log: Log, shape: str
) -> None:
    spoken = '1\n00:00:00,000 --> 00:00:02,000\n{"model": "secret", "usage": {"total_tokens": 1}}\n\n'
    upstream.answer = sending(spoken.encode(), b"content-type: text/plain; charset=utf-8")
    told = sdk.audio.transcriptions.create(model="whisper", file=("a.mp3", SOUND), response_format=shape)  # type: ignore[call-overload]
    assert told == spoken
    record = log.of(sdk.default_headers["x-client-request-id"])  # type: ignore[arg-type]
    assert (record["model_served"], record["total_tokens"]) == (None, None)


def test_the_text_of_silence_is_empty(upstream: RawUpstream, sdk: openai.OpenAI) -> None:
    upstream.answer = sending(b"", b"content-type: text/plain")
    assert sdk.audio.transcriptions.create(model="whisper", file=("a.mp3", SOUND), response_format="text") == ""


def test_a_translation_passes_and_its_seconds_are_recorded(upstream: RawUpstream, sdk: openai.OpenAI, log: Log) -> None:
    told = {"task": "translate", "language": "german", "duration": 8.47, "text": "Good day " * 2_000, "segments": []}
    upstream.answer = sending(json.dumps(told).encode(), JSON)
    answer = sdk.audio.translations.create(model="whisper", file=("a.mp3", SOUND), response_format="verbose_json")
    assert answer.duration == 8.47
    arrived(upstream, "audio/translations")
    assert log.of(sdk.default_headers["x-client-request-id"])["audio_seconds"] == 8.47  # type: ignore[arg-type]


def test_a_transcript_streams(upstream: RawUpstream, sdk: openai.OpenAI, log: Log) -> None:
    done = {"type": "transcript.text.done", "text": "Good day", "usage": TOKENS}
    upstream.answer = streaming(events({"type": "transcript.text.delta", "delta": "Good"}, done))
    stream = sdk.audio.transcriptions.create(model="scribe", file=("a.mp3", SOUND), stream=True)
    assert [event.type for event in stream] == ["transcript.text.delta", "transcript.text.done"]
    record = log.of(sdk.default_headers["x-client-request-id"])  # type: ignore[arg-type]
    assert (record["outcome"], record["total_tokens"]) == ("complete", 20)


def test_speech_passes_byte_for_byte(upstream: RawUpstream, sdk: openai.OpenAI, log: Log, tmp_path: Path) -> None:
    upstream.answer = sending(SOUND, MP3)
    assert sdk.audio.speech.create(model="speaker", voice="alloy", input="Grüß Gott").content == SOUND
    sent = arrived(upstream, "audio/speech")
    assert json.loads(sent.body) == {"input": "Grüß Gott", "model": "my-speaker", "voice": "alloy"}
    assert sent.headers["accept"] == "application/octet-stream"
    with sdk.audio.speech.with_streaming_response.create(model="speaker", voice="alloy", input="Hi") as answer:
        answer.stream_to_file(tmp_path / "speech.mp3")
    assert (tmp_path / "speech.mp3").read_bytes() == SOUND
    assert log.of(sdk.default_headers["x-client-request-id"])["characters"] in (2, 9)  # type: ignore[arg-type]


def test_speech_streams_events(upstream: RawUpstream, media: Proxy) -> None:
    body = events({"type": "speech.audio.delta", "audio": "AAAA"}, {"type": "speech.audio.done", "usage": TOKENS})
    upstream.answer = streaming(body)
    sent = {"model": "speaker", "voice": "alloy", "input": "Hi", "stream_format": "sse"}
    answer = httpx.post(f"{media.base_url}/audio/speech", headers=media.headers, json=sent)
    assert answer.content == body


# --- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage_first", [False, True])
def test_an_image_is_made(upstream: RawUpstream, sdk: openai.OpenAI, log: Log, usage_first: bool) -> None:
    told = {"usage": PAINTED, **IMAGE} if usage_first else {**IMAGE, "usage": PAINTED}
    upstream.answer = sending(json.dumps(told).encode(), JSON)
    made = sdk.images.generate(model="painter", prompt="A lighthouse", n=1, quality="low")
    assert made.data
    assert base64.b64decode(made.data[0].b64_json or "") == PICTURE * 9
    assert json.loads(arrived(upstream, "images/generations").body)["model"] == "my-painter"
    record = log.of(sdk.default_headers["x-client-request-id"])  # type: ignore[arg-type]
    assert (record["input_tokens"], record["output_tokens"], record["total_tokens"]) == (50, 272, 322)


@pytest.mark.parametrize("images", [1, 3])
def test_an_image_is_edited(upstream: RawUpstream, sdk: openai.OpenAI, images: int) -> None:
    upstream.answer = sending(json.dumps({**IMAGE, "usage": PAINTED}).encode(), JSON)
    given = [("a.png", PICTURE, "image/png")] * images
    sdk.images.edit(model="painter", image=given, mask=("m.png", PICTURE, "image/png"), prompt="At night")
    form = arrived(upstream, "images/edits")
    assert b'name="model"\r\n\r\nmy-painter\r\n' in form.body
    assert form.body.count(PICTURE) == images + 1


@pytest.mark.parametrize("route", ["generations", "edits"])
def test_partial_images_of_several_megabytes_stream(
    upstream: RawUpstream, sdk: openai.OpenAI, log: Log, route: str
) -> None:
    kind = {"generations": "image_generation", "edits": "image_edit"}[route]
    large = base64.b64encode(PICTURE).decode() * 200
    partial = {"type": f"{kind}.partial_image", "b64_json": large}
    told = events(
        {**partial, "partial_image_index": 0},
        {**partial, "partial_image_index": 1},
        {"type": f"{kind}.completed", "b64_json": large, "usage": PAINTED},
    )
    assert len(told) > 8_000_000
    upstream.answer = streaming(told, pieces=40)
    if route == "edits":
        stream = sdk.images.edit(
            model="painter", image=BytesIO(PICTURE), prompt="At night", stream=True, partial_images=2
        )
    else:
        stream = sdk.images.generate(model="painter", prompt="A lighthouse", stream=True, partial_images=2)
    seen = [(event.type, len(event.b64_json)) for event in stream]
    assert seen == [(f"{kind}.partial_image", len(large))] * 2 + [(f"{kind}.completed", len(large))]
    record = log.of(sdk.default_headers["x-client-request-id"])  # type: ignore[arg-type]
    assert (record["outcome"], record["total_tokens"], record["bytes_out"]) == ("complete", 322, len(told))


def test_an_image_stream_that_ends_early_is_broken_off(upstream: RawUpstream, sdk: openai.OpenAI) -> None:
    upstream.answer = streaming(events({"type": "image_generation.partial_image", "b64_json": "A" * 300_000}))
    stream = sdk.images.generate(model="painter", prompt="A lighthouse", stream=True, partial_images=2)
    with pytest.raises((openai.APIError, httpx.ReadError)) as caught:  # the reset may overtake so much data
        list(stream)
    assert getattr(caught.value, "code", "upstream_stream_broken") == "upstream_stream_broken"


def test_edits_in_json_pass(upstream: RawUpstream, media: Proxy) -> None:
    upstream.answer = sending(json.dumps(IMAGE).encode(), JSON)
    sent = {"model": "painter", "prompt": "x", "images": [{"image_url": "data:image/png;base64,AAAA"}]}
    assert httpx.post(f"{media.base_url}/images/edits", headers=media.headers, json=sent).status_code == 200
    assert json.loads(arrived(upstream, "images/edits").body) == {**sent, "model": "my-painter"}


# --- where they are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("", "?api-version=preview"),
        ("?api-version=v1", "?api-version=v1"),
        ("?api-version=preview&x=1", "?x=1&api-version=preview"),
        ("?api-version=2025-04-01-preview", "?api-version=preview"),
        ("?code=secret", "?api-version=preview"),
    ],
)
def test_the_callers_version_of_v1_wins(upstream: RawUpstream, media: Proxy, query: str, sent: str) -> None:
    upstream.answer = sending(SOUND, MP3)
    body = {"model": "speaker", "input": "Hi", "voice": "alloy"}
    httpx.post(f"{media.base_url}/audio/speech{query}", headers=media.headers, json=body).raise_for_status()
    assert upstream.arrived[-1].line == f"POST /openai/v1/audio/speech{sent} HTTP/1.1"


def test_an_azure_client_reaches_the_same_routes(upstream: RawUpstream, media: Proxy) -> None:
    endpoint = media.base_url.removesuffix("/v1")
    with openai.AzureOpenAI(
        azure_endpoint=endpoint, api_version="2025-04-01-preview", api_key="x", default_headers=media.headers
    ) as client:
        upstream.answer = sending(b'{"text":"Hi"}', JSON)
        assert client.audio.transcriptions.create(model="scribe", file=("a.mp3", SOUND)).text == "Hi"
        assert b'name="model"\r\n\r\nmy-scribe\r\n' in arrived(upstream, "audio/transcriptions").body
        upstream.answer = sending(SOUND, MP3)
        assert client.audio.speech.create(model="speaker", voice="alloy", input="Hi").content == SOUND
        arrived(upstream, "audio/speech")
        upstream.answer = sending(json.dumps(IMAGE).encode(), JSON)
        assert client.images.edit(model="painter", image=PICTURE, prompt="At night").data
        arrived(upstream, "images/edits")


def test_a_dated_version_names_the_deployment_in_the_path(upstream: RawUpstream) -> None:
    dated = SERVED | {"AZURE_OPENAI_API_VERSION": "2025-04-01-preview"}
    with proxy(upstream.base, dated) as running:
        upstream.answer = sending(b'{"text":"Hi"}', JSON)
        files = {"file": ("a.mp3", SOUND), "model": (None, b"scribe")}
        url = f"{running.base_url}/audio/transcriptions?api-version=v1"
        request = httpx.Request("POST", url, headers=running.headers, files=files)
        with httpx.Client() as client:
            client.send(request).raise_for_status()
        line = "POST /openai/deployments/my-scribe/audio/transcriptions?api-version=2025-04-01-preview HTTP/1.1"
        assert upstream.arrived[-1].line == line
        assert upstream.arrived[-1].body == request.read()
        upstream.answer = sending(b"a,b\r\n", b"content-type: application/octet-stream")
        url = f"{running.base_url}/containers/cntr_1/files/cfile_1/content"
        assert httpx.get(url, headers=running.headers).content == b"a,b\r\n"
        assert upstream.arrived[-1].line == "GET /openai/v1/containers/cntr_1/files/cfile_1/content HTTP/1.1"


# --- files ------------------------------------------------------------------------------------------------------------

FILE = "containers/cntr_68a/files/cfile-9_B/content"


@pytest.mark.parametrize("content", [b"\0\xff" * 5_000, b"", b'{"model": "secret", "usage": {"total_tokens": 7}}'])
def test_a_file_of_a_container_passes_and_stays_out_of_the_record(
    upstream: RawUpstream, media: Proxy, log: Log, content: bytes
) -> None:
    upstream.answer = sending(content, b"content-type: application/octet-stream")
    named = {"x-client-request-id": f"file {len(content)}"}
    for base in (media.base_url, media.base_url.removesuffix("v1") + "openai/v1"):
        assert httpx.get(f"{base}/{FILE}", headers=media.headers | named).content == content
        assert upstream.arrived[-1].line == f"GET /openai/v1/{FILE} HTTP/1.1"
    record = log.of(named["x-client-request-id"])
    assert (record["model_served"], record["total_tokens"], record["bytes_out"]) == (None, None, len(content))


@pytest.mark.parametrize(
    "path", ["a%2Fb/files/c", "a/files/..%2F..%2Fd", "a b/files/c", "ä/files/c", f"{'a' * 257}/files/c"]
)
def test_an_id_that_leads_elsewhere_is_refused(upstream: RawUpstream, media: Proxy, path: str) -> None:
    before = len(upstream.arrived)
    answer = httpx.get(f"{media.base_url}/containers/{path}/content", headers=media.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_file_id")
    assert len(upstream.arrived) == before


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["containers", "containers/cntr_1", "containers/cntr_1/files", "files", "batches"])
def test_lists_of_what_everybody_shares_stay_closed(media: Proxy, method: str, path: str) -> None:
    answer = httpx.request(method, f"{media.base_url}/{path}", headers=media.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("multipart/form-data", b"--x--", "invalid_form"),
        ("multipart/form-data; boundary=x", b'{"model":"whisper"}', "invalid_form"),
        ("application/x-www-form-urlencoded", b"model=whisper", "invalid_form"),
        (
            "application/json",
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--x--',
            "invalid_json",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--x--',
            "missing_model",
        ),
        ("application/json", b'{"prompt":"x"}', "missing_model"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-9\r\n--x--',
            "model_not_found",
        ),
    ],
)
def test_a_bad_form_is_refused_before_azure_sees_it(
    upstream: RawUpstream, media: Proxy, kind: str, body: bytes, code: str
) -> None:
    before = len(upstream.arrived)
    headers = media.headers | {"content-type": kind}
    answer = httpx.post(f"{media.base_url}/audio/transcriptions", headers=headers, content=body)
    assert answer.json()["error"]["code"] == code
    assert answer.status_code == (404 if code == "model_not_found" else 400)
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert len(upstream.arrived) == before


# --- spillover --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "2025-04-01-preview"])
def test_a_form_goes_to_the_next_deployment(upstream: RawUpstream, version: str) -> None:
    refusal = sending(b'{"error":{"code":"429"}}', JSON, b"retry-after: 9", status=b"429 Too Many Requests")
    answers = [refusal, sending(b'{"text":"Hi"}', JSON)]
    upstream.answer = lambda request, sock: answers.pop(0)(request, sock)
    chains = {"AZURE_OPENAI_DEPLOYMENT": "scribe=first|second", "AZURE_OPENAI_API_VERSION": version}
    with proxy(upstream.base, chains) as running:
        files = {"file": ("a.mp3", SOUND), "model": (None, b"scribe")}
        answer = httpx.post(f"{running.base_url}/audio/transcriptions", headers=running.headers, files=files)
    assert (answer.json(), answer.headers["x-ms-deployment-name"]) == ({"text": "Hi"}, "second")
    one, other = upstream.arrived[-2:]
    if version == "v1":
        assert b'name="model"\r\n\r\nfirst\r\n' in one.body
        assert other.body == one.body.replace(b"\r\nfirst\r\n", b"\r\nsecond\r\n")
        assert other.headers["content-length"] == str(len(other.body))
    else:
        assert "/deployments/second/audio/transcriptions?" in other.line
        assert other.body == one.body
