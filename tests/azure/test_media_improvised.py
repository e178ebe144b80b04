"""Sound and pictures, improvised, as the SDK's own client of Azure sees them."""

import base64
import io
import json
import wave
import zlib
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AzureOpenAI, OpenAI

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.synthetic.improvising import Improviser
from emulator.synthetic.media import FORMATS, beeps, sound
from emulator.tape.interaction import Interaction, Request, Response
from emulator.tape.media import media_of
from tests.synthetic.improvised import wrong

MEETING = ("meeting.wav", sound(beeps("Good morning, everybody."), "wav"))
CAT = ("cat.png", b"\x89PNG\r\n\x1a\n" + bytes(64))
PROMPT = "A lighthouse keeper's cat"


@pytest.fixture(scope="module")
def azure() -> Iterator[tuple[FakeAzure, str]]:
    fake = FakeAzure(Library())
    fake.after.append(Improviser())
    with serving(fake, bind(0)) as base:
        yield fake, base


@pytest.fixture(params=["dated", pytest.param("v1", marks=pytest.mark.long)], scope="module")
def client(azure: tuple[FakeAzure, str], request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    fake, base = azure
    if request.param == "dated":
        made: OpenAI = AzureOpenAI(
            azure_endpoint=base, api_key=fake.api_key, api_version="2025-04-01-preview", max_retries=0
        )
    else:
        query = {"api-version": "preview"}
        made = OpenAI(base_url=f"{base}/openai/v1", api_key=fake.api_key, default_query=query, max_retries=0)
    with made:
        yield made


@pytest.fixture(autouse=True)
def valid(azure: tuple[FakeAzure, str]) -> Iterator[None]:
    """Every answer passes `check`."""
    fake, _ = azure
    fake.reset()
    yield
    found = [
        Interaction(
            Request(exchange.method, f"https://r.openai.azure.com{exchange.target}", exchange.headers, exchange.body),
            Response(exchange.status or 0, "", exchange.sent_headers, b"".join(exchange.sent)),
        )
        for exchange in fake.journal.exchanges
    ]
    assert found
    assert wrong(found) == []


# --- speech -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_speech_comes_in_every_format(client: OpenAI, form: Any) -> None:
    got = client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello, world!", response_format=form
    )
    assert media_of(got.content).kind == ("" if form == "pcm" else form)


def test_speech_has_a_beep_for_each_word(client: OpenAI) -> None:
    asked: Any = {"model": "tts-1", "voice": "nova", "response_format": "wav"}
    lengths = []
    for text in ("One", "One two three four"):
        with wave.open(io.BytesIO(client.audio.speech.create(input=text, **asked).content)) as heard:
            assert (heard.getnchannels(), heard.getframerate(), heard.getsampwidth()) == (1, 24_000, 2)
            assert any(heard.readframes(heard.getnframes()))
            lengths.append(heard.getnframes())
    assert lengths[1] == 4 * lengths[0]
    fast, slow = (client.audio.speech.create(input="One", speed=speed, **asked).content for speed in (2.0, 1.0))
    assert len(fast) < 0.6 * len(slow)


def test_speech_streams_its_bytes(client: OpenAI) -> None:
    asked: Any = {"model": "tts-1", "voice": "nova", "input": PROMPT, "response_format": "pcm"}
    with client.audio.speech.with_streaming_response.create(**asked) as streamed:
        assert b"".join(streamed.iter_bytes(1_000)) == client.audio.speech.create(**asked).content


def test_speech_comes_in_events(client: OpenAI) -> None:
    asked: Any = {"model": "gpt-4o-mini-tts", "voice": "nova", "input": PROMPT, "response_format": "wav"}
    got = client.audio.speech.create(**asked, stream_format="sse")
    events = [json.loads(line.removeprefix("data: ")) for line in got.text.splitlines() if line.startswith("data: ")]
    spoken = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert spoken == client.audio.speech.create(**asked).content
    assert events[-1]["type"] == "speech.audio.done"
    assert events[-1]["usage"]["total_tokens"] > events[-1]["usage"]["input_tokens"] > 0


@pytest.mark.parametrize(
    ("changed", "param", "code"),
    [
        ({"voice": "darth"}, "voice", "invalid_value"),
        ({"response_format": "midi"}, "response_format", "invalid_value"),
        ({"input": "a" * 4_097}, "input", "string_above_max_length"),
        ({"input": ""}, "input", "missing_required_parameter"),
        ({"speed": 5.0}, "speed", "invalid_value"),
        ({"model": "tts-1", "stream_format": "sse"}, "stream_format", "unsupported_value"),
    ],
)
def test_speech_that_azure_refuses(client: OpenAI, changed: Any, param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.speech.create(**{"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello", **changed})
    assert (refused.value.param, refused.value.code) == (param, code)


# --- transcriptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["whisper", "gpt-4o-transcribe"])
def test_a_transcription_says_what_arrived(client: OpenAI, model: str) -> None:
    got = client.audio.transcriptions.create(model=model, file=MEETING)
    assert got.text == f"You sent “meeting.wav”: WAV, 0.24 s, {len(MEETING[1]):,} bytes."
    assert (got.usage is not None) == (model != "whisper")


def test_a_translation_does_so_too(client: OpenAI) -> None:
    assert "meeting.wav" in client.audio.translations.create(model="whisper", file=MEETING).text


def test_a_transcription_comes_in_every_form(client: OpenAI) -> None:
    said = client.audio.transcriptions.create(model="whisper", file=MEETING).text
    asked: Any = {"model": "whisper", "file": MEETING}
    assert client.audio.transcriptions.create(**asked, response_format="text") == f"{said}\n"
    srt, vtt = (client.audio.transcriptions.create(**asked, response_format=form) for form in ("srt", "vtt"))
    assert srt.startswith("1\n00:00:00,000 --> 00:00:00,2")
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.2")
    assert said in srt
    assert said in vtt


def test_a_verbose_transcription_has_times(client: OpenAI) -> None:
    got: Any = client.audio.transcriptions.create(
        model="whisper", file=MEETING, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert got.duration == pytest.approx(0.24, abs=0.01)
    assert got.segments[0].end == got.words[-1].end == got.duration
    assert " ".join(word.word for word in got.words) == got.text


def test_a_transcription_streams_with_log_probabilities(client: OpenAI) -> None:
    events: Any = list(
        client.audio.transcriptions.create(
            model="gpt-4o-transcribe", file=MEETING, stream=True, include=["logprobs"], response_format="json"
        )
    )
    assert "".join(event.delta for event in events[:-1]) == events[-1].text
    assert [event.logprobs[0].token for event in events[:-1]] == [event.delta for event in events[:-1]]
    assert events[-1].usage.output_tokens == len(events) - 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"file": b"no name"}, "Unrecognized file format"),
        ({"file": ("a.doc", b"?")}, "Unrecognized file format"),
        ({"response_format": "diarized_json"}, "Supported values are"),
        ({"model": "gpt-4o-transcribe", "response_format": "srt"}, "not compatible with model"),
        ({"timestamp_granularities": ["word"]}, "verbose_json"),
    ],
)
def test_a_transcription_that_azure_refuses(client: OpenAI, changed: Any, said: str) -> None:
    with pytest.raises(openai.BadRequestError, match=said):
        client.audio.transcriptions.create(**{"model": "whisper", "file": MEETING, **changed})


def test_a_transcription_needs_its_file(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'file'"):
        client.post("/audio/transcriptions", body={"model": "whisper"}, cast_to=object)


def test_a_sound_of_more_than_25_mb_is_too_large(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="Maximum content size limit") as refused:
        client.audio.transcriptions.create(model="whisper", file=("long.wav", bytes(25 * 2**20 + 1)))
    assert refused.value.status_code == 413


# --- images -----------------------------------------------------------------------------------------------------------


def pixels(coded: str | None) -> set[bytes]:
    """The rows of a picture, each once."""
    png = base64.b64decode(coded or "")
    start = png.index(b"IDAT") + 4
    size = int.from_bytes(png[start - 8 : start - 4])
    rows, width = zlib.decompress(png[start : start + size]), int.from_bytes(png[16:20])
    step = 1 + -(-width // 8)
    return {rows[at : at + step] for at in range(0, len(rows), step)}


def test_an_image_shows_its_prompt(client: OpenAI) -> None:
    drawn = [client.images.generate(model="gpt-image-1", prompt=text) for text in (PROMPT, "A ship")]
    pictures = [pixels(got.data[0].b64_json) for got in drawn if got.data]
    assert all(len(rows) > 5 for rows in pictures)
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("size", ["1024x1024", "1024x1536", "1536x1024"])
def test_an_image_has_the_size_that_was_asked_for(client: OpenAI, size: Any) -> None:
    got = client.images.generate(model="gpt-image-1", prompt=PROMPT, size=size, quality="low", n=3)
    assert got.data is not None
    assert len({picture.b64_json for picture in got.data}) == 3
    sizes = {media_of(base64.b64decode(picture.b64_json or "")).size for picture in got.data}
    assert sizes == {tuple(map(int, size.split("x")))}
    assert got.usage is not None
    assert got.usage.output_tokens == 3 * {"1024x1024": 272, "1024x1536": 408, "1536x1024": 400}[size]


def test_an_older_model_gives_an_address(client: OpenAI) -> None:
    got = client.images.generate(model="dall-e-3", prompt=PROMPT, size="1792x1024")
    assert got.data is not None
    assert str(got.data[0].url).startswith("data:image/png;base64,")


@pytest.mark.parametrize("partials", [0, 3])
def test_an_image_streams_its_beginnings(client: OpenAI, partials: int) -> None:
    events: Any = list(client.images.generate(model="gpt-image-1", prompt=PROMPT, stream=True, partial_images=partials))
    assert [event.type.partition(".")[2] for event in events] == ["partial_image"] * partials + ["completed"]
    assert [event.partial_image_index for event in events[:-1]] == list(range(partials))
    assert len({event.b64_json for event in events}) == partials + 1
    assert events[-1].usage.total_tokens > 1_000
    whole = client.images.generate(model="gpt-image-1", prompt=PROMPT)
    assert whole.usage is not None


def test_an_edit_names_what_it_edits(client: OpenAI) -> None:
    one, two = (
        client.images.edit(model="gpt-image-1", prompt="As a painting", image=images) for images in (CAT, [CAT, CAT])
    )
    assert one.data is not None
    assert two.data is not None
    assert pixels(one.data[0].b64_json) != pixels(two.data[0].b64_json)
    assert two.usage is not None
    assert one.usage is not None
    assert two.usage.input_tokens > one.usage.input_tokens > 1_000
    events: Any = list(client.images.edit(model="gpt-image-1", prompt="So", image=CAT, stream=True, partial_images=1))
    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"n": 11}, "integer_above_max_value"),
        ({"n": 0}, "integer_below_min_value"),
        ({"partial_images": 4}, "integer_above_max_value"),
        ({"size": "64x64"}, "invalid_value"),
        ({"quality": "ultra"}, "invalid_value"),
        ({"prompt": ""}, "missing_required_parameter"),
        ({"prompt": "a" * 32_001}, "string_above_max_length"),
        ({"response_format": "url"}, "unknown_parameter"),
        ({"output_format": "jpeg"}, "not_improvised"),
    ],
)
def test_an_image_that_azure_refuses(client: OpenAI, changed: Any, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(**{"model": "gpt-image-1", "prompt": PROMPT, **changed})
    assert refused.value.code == code
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.edit(**{"model": "gpt-image-1", "prompt": PROMPT, "image": CAT, **changed})
    assert refused.value.code == code


def test_an_edit_needs_its_image(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'image'"):
        client.post("/images/edits", body={"model": "gpt-image-1", "prompt": PROMPT}, cast_to=object)


def test_the_same_request_gets_the_same_bytes(client: OpenAI) -> None:
    asked: Any = {"model": "gpt-4o-transcribe", "file": MEETING}
    first, second = (client.audio.transcriptions.with_raw_response.create(**asked) for _ in range(2))
    assert first.http_response.content == second.http_response.content
    assert first.http_response.headers["x-emulator-origin"] == "improvised"
