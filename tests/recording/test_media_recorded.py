"""Sound and pictures are recorded as they were sent, and play for the next call, whose form has another boundary."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import APIStatusError, OpenAI

from emulator.match.library import Library
from emulator.recording.budget import Budget
from emulator.recording.drift import drifts
from emulator.recording.live import Live as LiveService
from emulator.recording.sendable import LARGEST_BODY_BYTES
from emulator.recording.verify import verify
from emulator.stack import CASSETTES
from emulator.synthetic.media import beeps, sound
from emulator.tape import cassette
from emulator.tape.cassette import CassetteError, Interaction, Request, Response
from emulator.tape.estimate import expected_tokens
from tests.e2e.scenarios import media
from tests.recording.conftest import Live

ASKED: list[Callable[[OpenAI], Any]] = [
    media.speech,
    media.transcription,
    media.subtitles,
    media.image_stream,
    media.edit,
]


def read(answer: Any) -> Any:
    return list(answer) if hasattr(answer, "__next__") else getattr(answer, "content", answer)


def bodies(path: Path) -> list[bytes]:
    return [interaction.response.body for interaction in cassette.load(path).interactions]


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_what_is_recorded_plays_for_the_next_client(live: Live, folder: Path, ask: Callable[[OpenAI], Any]) -> None:
    with live.recording(folder, "x", "new_episodes") as client:
        first = read(ask(client))
        again = read(ask(client))
    assert first == again
    with live.recording(folder, "x", "new_episodes") as client:
        assert read(ask(client)) == first
    assert len(live.azure.journal.exchanges) == 2  # none of them in the second run
    assert bodies(folder / "x.yaml") == bodies(CASSETTES / "media" / f"{ask.__name__}.yaml") * 2


def test_recording_again_changes_nothing(live: Live, folder: Path) -> None:
    """Not even the boundary: the file holds the form of the first call."""
    for _ in range(2):
        with live.recording(folder, "x", "all") as client:
            media.transcription(client)
    (kept,) = cassette.load(folder / "x.yaml").interactions
    assert kept.request.meaning == cassette.load(CASSETTES / "media/transcription.yaml").interactions[0].request.meaning


def test_a_sound_keeps_the_times_of_its_pieces(live: Live, folder: Path) -> None:
    """So that a player finds out whether it can begin early."""
    live.azure.misbehave("slow_frames; seconds=0.1")
    with live.recording(folder, "x") as client:
        media.speech(client)
    (kept,) = cassette.load(folder / "x.yaml").interactions
    assert len(kept.response.frame_bytes) == len(kept.response.frame_at_ms) == 4
    assert sum(kept.response.frame_bytes) == len(kept.response.body)
    assert kept.response.frame_at_ms[-1] >= 250


@pytest.mark.parametrize("where", ["prompt", "filename", "sound"])
def test_a_secret_in_a_form_stops_the_call(live: Live, folder: Path, where: str) -> None:
    mail = "ada.lovelace@contoso.com"
    name, sound = media.MEETING
    file = (
        (f"{mail}.wav", sound) if where == "filename" else (name, sound + mail.encode() * (where == "sound") + b"\0 ")
    )
    with live.recording(folder, "x") as client, pytest.raises(APIStatusError, match="Nothing was sent") as refused:
        client.audio.transcriptions.create(
            model=media.LISTENER, file=file, prompt=f"It is {mail}." if where == "prompt" else "It is somebody."
        )
    assert refused.value.status_code == 424
    assert f"request body {'prompt' if where == 'prompt' else 'file'}" in str(refused.value)
    assert mail not in str(refused.value)
    assert live.azure.journal.exchanges == []
    assert not (folder / "x.yaml").exists()


def test_a_budget_counts_sound_and_pictures(live: Live, folder: Path) -> None:
    with live.recording(folder, "x", budget=Budget(tokens=400)) as client:
        with pytest.raises(APIStatusError, match=r"This call may use 4\d\d tokens"):
            media.image(client)
        media.transcription(client)
        media.speech(client)
    assert len(live.azure.journal.exchanges) == 2


FORM = {"model": "x", "prompt": "a" * 300}
SECOND = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x80\x3e\0\0" + bytes(16_000)


@pytest.mark.parametrize(
    ("target", "sent", "tokens"),
    [
        ("audio/speech", {"json": {"input": "a" * 297}}, 100 + 600),
        ("audio/transcriptions", {"data": FORM, "files": {"file": ("a.wav", SECOND)}}, 100 + 15),
        ("audio/transcriptions", {"data": FORM, "files": {"file": ("a.mp3", bytes(8_000))}}, 100 + 30),
        ("images/generations", {"json": {"prompt": "a" * 295, "n": 2}}, 105 + 2 * 6_240),
        (
            "images/edits",
            {"data": FORM | {"n": "2", "quality": "low"}, "files": {"image": ("a", b"\0")}},
            1_600 + 2 * 408,
        ),
    ],
)
def test_what_a_call_may_use_is_estimated(target: str, sent: Any, tokens: int) -> None:
    made = httpx.Request("POST", f"https://x/openai/v1/{target}", **sent)
    assert expected_tokens(Request("POST", str(made.url), (), made.read())) == pytest.approx(tokens, abs=6)


def test_what_no_cassette_can_hold_is_not_even_sent(live: Live, folder: Path) -> None:
    huge = ("long.wav", bytes(LARGEST_BODY_BYTES))
    with live.recording(folder, "x") as client, pytest.raises(APIStatusError, match="a cassette holds at most 40 MB"):
        client.audio.transcriptions.create(model=media.LISTENER, file=huge)
    assert live.azure.journal.exchanges == []


@pytest.mark.long
def test_a_cassette_that_nobody_could_read_is_not_written(tmp_path: Path) -> None:
    asked = Request("POST", "https://x/openai/v1/audio/speech", (), b"{}")
    sound = Interaction(asked, Response(200, "OK", (), b"\xff" * (25 * 2**20)))
    cassette.save(tmp_path / "x.yaml", [sound], {})
    before = (tmp_path / "x.yaml").stat()
    with pytest.raises(CassetteError, match="nobody could read it"):
        cassette.save(tmp_path / "x.yaml", [sound, sound], {})
    assert (tmp_path / "x.yaml").stat() == before
    assert Library.from_folders([tmp_path]).problems == []


def test_another_voice_is_no_drift_and_another_format_is() -> None:
    wav, mp3, opus = (sound(beeps(text), form) for text, form in (("One", "wav"), ("One", "mp3"), ("Two", "opus")))
    kind = (("content-type", "application/octet-stream"),)
    before, longer, other = (Response(200, "OK", kind, body) for body in (wav, sound(beeps("One two"), "wav"), mp3))
    assert [str(drift) for drift in drifts(before, longer)] == [
        f"info: it was WAV, 0.08 s, {len(wav):,} bytes, is WAV, 0.16 s, {len(longer.body):,} bytes"
    ]
    assert [drift.severity for drift in drifts(before, other)] == ["error", "warning", "info"]
    assert drifts(Response(200, "OK", kind, opus), Response(200, "OK", kind, opus)) == []


def test_a_recorded_form_is_verified_against_the_live_service(live: Live) -> None:
    recorded = [*cassette.load(CASSETTES / "media/transcription.yaml").interactions]
    service = LiveService(live.env["AZURE_OPENAI_BASE"], live.env["AZURE_OPENAI_API_KEY"])

    async def told() -> list[str]:
        found = [str(verified) async for verified, _ in verify(recorded, service, Budget())]
        await service.aclose()
        return found

    assert asyncio.run(told()) == ["transcription #1: as recorded"]
