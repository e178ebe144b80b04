"""Recorded sound and pictures play for any client: by the parts of a form, byte for byte, under faults and limits."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AzureOpenAI, OpenAI

from emulator.azure import FakeAzure
from emulator.azure.limits import Limits
from emulator.match.library import Library
from emulator.match.slack import parse as slack_of
from emulator.server import bind, serving
from emulator.stack import CASSETTES
from emulator.tape import cassette
from emulator.tape.interaction import Interaction, Request, Response
from emulator.tape.media import media_of
from tests.e2e.scenarios import media
from tests.synthetic.improvised import wrong

TAPES = CASSETTES / "media"
ASKED: list[Callable[[OpenAI], Any]] = [
    media.speech,
    media.transcription,
    media.transcription_stream,
    media.subtitles,
    media.translation,
    media.image,
    media.image_stream,
    media.edit,
]
V1 = "https://r.openai.azure.com/openai/v1"
TRANSCRIPTIONS = "/openai/v1/audio/transcriptions"


def dated(azure: FakeAzure, base: str) -> OpenAI:
    return AzureOpenAI(azure_endpoint=base, api_key=azure.api_key, api_version="2025-04-01-preview", max_retries=0)


def v1(azure: FakeAzure, base: str) -> OpenAI:
    return OpenAI(base_url=f"{base}/openai/v1", api_key=azure.api_key, max_retries=0)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FakeAzure, str]]:
    azure = FakeAzure(Library.from_folders([TAPES]))
    with serving(azure, bind(0)) as base:
        yield azure, base


@pytest.fixture
def azure(served: tuple[FakeAzure, str]) -> FakeAzure:
    served[0].reset()
    return served[0]


@pytest.fixture(params=[v1, dated], ids=["v1", "dated"])
def client(azure: FakeAzure, served: tuple[FakeAzure, str], request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    with request.param(*served) as made:
        yield made


def read(answer: Any) -> Any:
    return list(answer) if hasattr(answer, "__next__") else answer.content if hasattr(answer, "content") else answer


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_a_recording_plays_again_and_again(azure: FakeAzure, client: OpenAI, ask: Callable[[OpenAI], Any]) -> None:
    """Every client makes the boundary of its form anew, and so does each call."""
    assert read(ask(client)) == read(ask(client))
    recorded = cassette.load(TAPES / f"{ask.__name__}.yaml").interactions[0].response.body
    for exchange in azure.journal.exchanges:
        assert exchange.recording
        assert b"".join(exchange.sent) == recorded


def test_a_client_gets_what_its_types_say(client: OpenAI) -> None:
    assert str(media_of(media.speech(client).content)) == "WAV, 0.04 s, 1,964 bytes"
    assert media.transcription(client).text == media.GREETED
    assert "".join(getattr(event, "delta", "") for event in media.transcription_stream(client)) == media.GREETED
    assert media.GREETED in media.subtitles(client)
    assert media_of(base64.b64decode(media.image(client).data[0].b64_json)).size == (1024, 1024)
    events = list(media.image_stream(client))
    assert [event.type for event in events] == ["image_generation.partial_image", "image_generation.completed"]
    assert events[-1].usage.output_tokens == 272 + 100


def form(*parts: tuple[str, Any]) -> tuple[bytes, str]:
    """The body and the content type of a form, as httpx makes them."""
    files = [(name, value if isinstance(value, tuple) else (None, value)) for name, value in parts]
    made = httpx.Request("POST", "http://x", files=files)
    return made.read(), made.headers["content-type"]


FILE = ("file", ("a.wav", b"RIFF\x00\xff sound", "audio/wav"))
MODEL, PROMPT = ("model", "whisper"), ("prompt", "Names: Ada")


def serve(tmp_path: Path, *parts: tuple[str, Any], slack: dict[str, Any] | None = None) -> FakeAzure:
    """A fake Azure with one recorded form, which went through a file."""
    body, kind = form(*parts)
    recorded = Interaction(
        Request("POST", f"{V1}/audio/transcriptions", (("content-type", kind),), body),
        Response(200, "OK", (("content-type", "application/json"),), b'{"text":"Ada."}'),
    )
    cassette.save(tmp_path / "heard.yaml", [recorded], {"slack": slack} if slack else {})
    return FakeAzure(Library.from_folders([tmp_path]))


def post(azure: FakeAzure, *parts: tuple[str, Any], target: str = TRANSCRIPTIONS) -> httpx.Response:
    body, kind = form(*parts)
    with serving(azure, bind(0)) as base:
        headers = {"api-key": azure.api_key, "content-type": kind}
        return httpx.post(base + target, content=body, headers=headers, timeout=30)


def test_the_order_of_parts_means_nothing(tmp_path: Path) -> None:
    assert post(serve(tmp_path, MODEL, PROMPT, FILE), FILE, PROMPT, MODEL).status_code == 200


def test_a_recording_of_a_form_answers_on_the_other_generation(tmp_path: Path) -> None:
    target = "/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21"
    assert post(serve(tmp_path, MODEL, FILE), FILE, target=target).status_code == 200
    assert post(serve(tmp_path, MODEL, FILE), ("model", "ignored"), FILE, target=target).status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([MODEL, FILE], 'only prompt differs: recorded "Names: Ada", sent nothing'),
        ([MODEL, ("prompt", "Names: Eve"), FILE], 'only prompt differs: recorded "Names: Ada", sent "Names: Eve"'),
        (
            [MODEL, PROMPT, ("file", ("b.wav", FILE[1][1], "audio/wav"))],
            'file.filename differs: recorded "a.wav", sent',
        ),
        ([MODEL, PROMPT, ("file", ("a.wav", FILE[1][1], "audio/mp3"))], "file.content-type differs"),
        ([MODEL, PROMPT, ("file", ("a.wav", b"RIFF\x00\xff soUnd", "audio/wav"))], "only file.content differs"),
        ([MODEL, PROMPT, FILE, FILE], "only file differs"),
        ([MODEL, PROMPT, FILE, ("language", "en")], 'only language differs: recorded nothing, sent "en"'),
    ],
)
def test_a_miss_names_the_part_that_differs(tmp_path: Path, sent: list[Any], said: str) -> None:
    missed = post(serve(tmp_path, MODEL, PROMPT, FILE), *sent)
    assert missed.status_code == 424
    assert said in missed.json()["error"]["message"]
    assert "\\u0000" not in missed.text  # no bytes of files


def test_a_form_and_json_differ_as_a_whole(tmp_path: Path) -> None:
    azure = serve(tmp_path, MODEL, PROMPT, FILE)
    with serving(azure, bind(0)) as base:
        sent = {"model": "whisper", "prompt": "Names: Ada"}
        missed = httpx.post(base + TRANSCRIPTIONS, json=sent, headers={"api-key": azure.api_key})
    assert "the body differs: recorded a form (model, prompt, file), sent JSON" in missed.json()["error"]["message"]


def test_slack_lets_a_part_vary(tmp_path: Path) -> None:
    """A temporary file has a name of its own each time."""
    azure = serve(tmp_path, MODEL, PROMPT, FILE, slack={"file.filename": "any", "prompt": ["date"]})
    renamed = ("file", ("tmp8w.wav", FILE[1][1], "audio/wav"))
    assert post(azure, MODEL, PROMPT, renamed).status_code == 200
    other = ("file", ("tmp8w.wav", b"other", "audio/wav"))
    assert "file.content" in post(azure, MODEL, PROMPT, other).json()["error"]["message"]


@pytest.mark.parametrize("rule", ["file", "file.content", "image", '["image[]"]', '["image[]"][*].content', "mask"])
def test_slack_never_ignores_a_file(rule: str) -> None:
    with pytest.raises(ValueError, match="the bytes of a file must not vary"):
        slack_of({rule: "any"})
    with pytest.raises(ValueError, match="the bytes of a file must not vary"):
        slack_of({rule: "/[0-9]+/"})


# --- faults, limits, schedule -----------------------------------------------------------------------------------------


def test_faults_hit_sound_and_pictures(azure: FakeAzure, client: OpenAI) -> None:
    azure.misbehave("rate_limited; retry=ms; times=1")
    with pytest.raises(openai.RateLimitError):
        media.speech(client)
    assert media.speech(client).content
    azure.misbehave("close; at_byte=100; times=1")
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        media.speech(client)
    azure.misbehave("reset; at_frame=1; times=1")
    with pytest.raises((openai.APIConnectionError, httpx.ReadError)):
        list(media.image_stream(client))


def test_rate_limits_count_sound_and_pictures(azure: FakeAzure, client: OpenAI) -> None:
    azure.limits = Limits(tokens=450)
    media.image(client)  # of low quality: 408
    with pytest.raises(openai.RateLimitError):
        media.image(client)
    azure.limits = Limits(requests=1)
    media.transcription(client)
    with pytest.raises(openai.RateLimitError):
        media.transcription(client)


def test_events_of_several_megabytes_come_on_time(tmp_path: Path) -> None:
    picture = base64.b64encode(bytes(2 * 2**20)).decode()
    events = [{"type": "image_generation.partial_image", "b64_json": picture, "partial_image_index": i} for i in (0, 1)]
    frames = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    answer = Response(200, "OK", (("content-type", "text/event-stream"),), b"".join(frames), frame_at_ms=(100.0, 400.0))
    asked = b'{"model":"gpt-image-1","prompt":"A","stream":true}'
    cassette.save(
        tmp_path / "x.yaml", [Interaction(Request("POST", f"{V1}/images/generations", (), asked), answer)], {}
    )
    azure = FakeAzure(Library.from_folders([tmp_path]), time_scale=1.0)
    with serving(azure, bind(0)) as base, v1(azure, base) as client:
        started, came = time.monotonic(), list[float]()
        for event in client.images.generate(model="gpt-image-1", prompt="A", stream=True):
            came.append(time.monotonic() - started)
            assert len(event.b64_json) == len(picture)
    assert len(came) == 2
    assert came[1] - came[0] > 0.2


def test_a_sound_of_25_mb_matches(tmp_path: Path) -> None:
    long = ("file", ("long.wav", bytes(range(256)) * (25 * 2**12), "audio/wav"))
    body, kind = form(MODEL, long)
    recorded = Interaction(
        Request("POST", f"{V1}/audio/transcriptions", (("content-type", kind),), body), Response(200, "OK", (), b"{}")
    )
    azure = FakeAzure(Library([recorded]))
    assert post(azure, MODEL, long).status_code == 200
    assert post(azure, MODEL, ("file", ("long.wav", long[1][1][:-1] + b"x", "audio/wav"))).status_code == 424


def test_a_file_of_a_container_plays_and_passes_check(tmp_path: Path) -> None:
    target = "/openai/v1/containers/cntr_1/files/cfile_1/content"
    made = Interaction(
        Request("GET", f"https://r.openai.azure.com{target}", (), b""),
        Response(200, "OK", (("content-type", "application/octet-stream"),), bytes(range(256))),
    )
    cassette.save(tmp_path / "plot.yaml", [made], {})
    azure = FakeAzure(Library.from_folders([tmp_path]))
    with serving(azure, bind(0)) as base, v1(azure, base) as client:
        got = client.containers.files.content.retrieve("cfile_1", container_id="cntr_1")
        assert got.content == bytes(range(256))
        with pytest.raises(openai.APIStatusError) as missed:
            client.containers.files.content.retrieve("cfile_2", container_id="cntr_1")
    assert missed.value.status_code == 424
    assert wrong([made]) == []
