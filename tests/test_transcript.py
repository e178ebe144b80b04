"""A recording reads as what was asked and what was answered."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulator import transcript
from emulator.stack import CASSETTES, ROOT
from emulator.tape import cassette
from emulator.tape.cassette import Cassette
from tests.golden import assert_golden

SHOWN = (
    "chat/stream",
    "chat/stream_tools",
    "chat/vision",
    "chat/choices",
    "chat/conversation",
    "responses/tools",
    "responses/reasoning",
    "responses/background_stream",
    "responses/stream_incomplete",
    "embeddings/float",
    "errors/filtered_response",
    "errors/rate_limited",
    "responses/deleted",
    "dspy/react",
)


@pytest.mark.parametrize("name", SHOWN)
def test_a_cassette_is_shown_as_a_transcript(name: str) -> None:
    shown = transcript.transcript(transcript.find([CASSETTES], name)).replace(f"{ROOT}/", "")
    assert_golden(f"transcript/{name.replace('/', '-')}.txt", shown)


def test_a_stream_that_broke_off_shows_what_there_was() -> None:
    whole = cassette.load(CASSETTES / "responses/stream.yaml").interactions[0]
    frames = whole.response.frames()[:-4]
    response = replace(whole.response, body=b"".join(frames), frame_at_ms=(), outcome="reset")
    shown = transcript.transcript(Cassette(Path("broken.yaml"), (replace(whole, response=response),)))
    assert_golden("transcript/broken.txt", shown)


def test_what_a_terminal_would_obey_is_spelled() -> None:
    whole = cassette.load(CASSETTES / "chat/question.yaml").interactions[0]
    evil = replace(whole.response, body=whole.response.body.replace(b"Paris", b"\\u001b]0;evil\\u0007\\u009b2J"))
    shown = transcript.transcript(Cassette(Path("evil.yaml"), (replace(whole, response=evil),)))
    assert "\\x1b]0;evil\\x07\\x9b2J" in shown
    assert not [character for character in shown if not character.isprintable() and character != "\n"]


def test_every_cassette_can_be_shown() -> None:
    for path, name in cassette.find([CASSETTES]):
        assert "#1  " in transcript.transcript(cassette.load(path, name))


def show(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "emulator", "show", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_show_takes_names_and_files() -> None:
    status, by_name, _ = show("chat/question")
    assert (status, show("cassettes/chat/question.yaml")[1].splitlines()[1:]) == (0, by_name.splitlines()[1:])


def test_a_name_that_is_none_is_told() -> None:
    assert show("chat/ques") == (2, "", "error: There is no cassette chat/ques. There are: chat/question.\n")
