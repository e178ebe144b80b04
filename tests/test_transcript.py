"""A transcript shows the question and the answer of a recording."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import transcript
from emulator.stack import CASSETTES, ROOT
from emulator.tape import cassette
from emulator.tape.cassette import Cassette, Interaction, Request, Response
from tests.golden import assert_golden
from tests.support import AZURE

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
    "media/speech",
    "media/transcription_stream",
    "media/subtitles",
    "media/image_stream",
    "media/edit",
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


NAMES = """
    messages input instructions tools role content type text refusal image_url url name function arguments tool_calls
    index choices message delta finish_reason output summary status error code response data embedding usage
    prompt_tokens prompt_tokens_details total_tokens model stream custom output_index value
"""
FIELDS = st.sampled_from(NAMES.split())
TYPES = (
    "response.output_text.delta",
    "function_call",
    "function_call_output",
    "reasoning",
    "message",
    "text",
    "",
    "\ud83d",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**70) | st.floats() | st.sampled_from(TYPES) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=25,
)
OBJECTS = st.dictionaries(FIELDS, VALUES, max_size=8)


def written(asked: Any, *said: Any, streamed: bool = False, path: str = "chat/completions") -> str:
    kind = "text/event-stream" if streamed else "application/json"
    texts = [json.dumps(value) for value in said]
    body = "".join(f"data: {text}\n\n" for text in texts) if streamed else "".join(texts)
    request = Request("POST", AZURE + path, (), json.dumps(asked).encode())
    response = Response(200, "OK", (("content-type", kind),), body.encode())
    return transcript.transcript(Cassette(Path("odd.yaml"), (Interaction(request, response),)))


@settings(deadline=None, database=None)
@given(OBJECTS, st.lists(OBJECTS, min_size=1, max_size=4), st.booleans())
def test_every_shape_of_a_recording_can_be_shown(asked: Any, said: list[Any], streamed: bool) -> None:
    shown = written(asked, *(said if streamed else said[:1]), streamed=streamed)
    assert "#1  POST chat/completions" in shown
    shown.encode()


@settings(deadline=None, database=None)
@given(VALUES, VALUES)
def test_a_recording_that_holds_no_objects_can_be_shown(asked: Any, said: Any) -> None:
    assert "200 OK" in written(asked, said)


CALL = {"function": {"name": "add", "arguments": {"a": 1}}}


def answer(**message: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message}]}


def question(**message: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", **message}]}


ODD: dict[str, tuple[Any, Any, str]] = {  # name: (the request, the answer, a line of the transcript)
    "a list as content": ({}, answer(content=[{"type": "text", "text": "Hi."}]), "assistant  Hi."),
    "an object as arguments": ({}, answer(tool_calls=[CALL]), 'assistant  calls add({"a": 1})'),
    "arguments that were sent": (question(tool_calls=[CALL]), {}, 'user  calls add({"a": 1})'),
    "null choices": ({}, {"choices": None, "id": "x"}, '"choices": null'),
    "an odd index": ({}, {"choices": [{"index": [1], "message": {"content": "Hi."}}]}, "assistant  Hi."),
    "an error in words": ({}, {"error": "no more"}, "error  no more"),
    "an older completion": ({"prompt": "Hi"}, {"choices": [{"text": "Ho.", "index": 0}]}, "assistant  Ho."),
    "one message": ({"messages": {"role": "user", "content": "Hi."}}, {}, "user  Hi."),
    "a number as message": ({"messages": [5, None, "Hi."]}, {}, "input  5"),
    "text with a value": (question(content=[{"text": {"value": "Hi."}}]), {}, "user  Hi."),
    "half a pair": ({}, answer(content="a \ud83d b"), "assistant  a \\ud83d b"),
    "a list of instructions": (
        {"instructions": ["One.", {"role": "developer", "content": "Two."}]},
        {},
        "developer  Two.",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_shape_shows_what_it_says(name: str) -> None:
    asked, said, line = ODD[name]
    assert line in written(asked, said)


def test_a_pair_that_a_stream_cut_in_two_is_one_character() -> None:
    halves = [{"choices": [{"delta": {"content": half}}]} for half in ("\ud83c", "\udf89")]
    assert "assistant  🎉" in written({}, *halves, streamed=True)


def show(*arguments: str, **settings: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "emulator", "show", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, errors="replace", timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_a_terminal_cannot_show_is_spelled(encoding: str) -> None:
    status, shown, said = show("chat/unicode", PYTHONIOENCODING=encoding)
    assert (status, said) == (0, "")
    assert "\\u" in shown


def test_who_reads_only_the_beginning_sees_no_traceback() -> None:
    command = f"{shlex.quote(sys.executable)} -m emulator show {'chat/unicode ' * 99} | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_show_takes_names_and_files() -> None:
    status, by_name, _ = show("chat/question")
    assert (status, show("cassettes/chat/question.yaml")[1].splitlines()[1:]) == (0, by_name.splitlines()[1:])


def test_a_name_that_is_none_is_told() -> None:
    assert show("x" * 300)[0] == 2
    assert show("chat/ques") == (2, "", "error: There is no cassette chat/ques. There are: chat/question.\n")
