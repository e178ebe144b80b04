"""A new event, item, part, annotation or word of a newer API gets a note, and is not a defect."""

import os
from pathlib import Path

import pytest

from emulator.stack import ROOT
from emulator.tape.cassette import Interaction
from tests.golden import assert_golden
from tests.lint.planting import (
    CHAT,
    CHAT_STREAM,
    RECORDED,
    RESPONSE,
    RESPONSE_STREAM,
    TOOL_STREAM,
    Workplace,
    answer,
    frames,
    renumbered,
    reordered,
    swap,
)

Capsys = pytest.CaptureFixture[str]
SPECS = Path(os.environ.get("AZURE_SPECS", ROOT.parent / "shared" / "azure-specs"))


def with_event(event: bytes, at: int, stream: Interaction = RESPONSE_STREAM) -> Interaction:
    old = frames(stream)
    return answer(stream, body=b"".join([*old[:at], event + b"\n\n", *old[at:]]), frame_at_ms=())


def event(kind: str, more: str = "", numbered: bool = True) -> bytes:
    number = ',"sequence_number":0' * numbered
    return f'event: {kind}\ndata: {{"type":"{kind}"{number}{more}}}'.encode()


NEW: dict[str, tuple[Interaction, str]] = {  # name → (the recording, the word in the note)
    "an event": (renumbered(with_event(event("response.mood.delta", ',"delta":":)"'), 2)), "response.mood.delta"),
    "an event before the first": (renumbered(with_event(event("session.opened"), 0)), "session.opened"),
    "an event after the last": (renumbered(with_event(event("response.archived"), 10)), "response.archived"),
    "an event that an old one begins": (
        renumbered(with_event(event("response.output_text.marked", ',"output_index":9'), 2)),
        "response.output_text.marked",
    ),
    "an event of chat": (
        swap(CHAT_STREAM, rb'"service_tier":"\w+"|"object":', rb'"service_tier":"turbo","object":'),
        "turbo",
    ),
    "an output item": (swap(RESPONSE, rb'"output": \[', b'"output": [{"type": "dream", "id": "d_1"}, '), "dream"),
    "the only output item": (swap(RESPONSE, rb'"type": "message"', b'"type": "massage"'), "massage"),
    "an item of a stream": (swap(RESPONSE_STREAM, rb'"type":"message"', b'"type":"massage"', 0), "massage"),
    "a content part": (swap(RESPONSE, rb'"type": "output_text"', b'"type": "output_scent"'), "output_scent"),
    "a part of a stream": (
        swap(RESPONSE_STREAM, rb'"type":"output_text"', b'"type":"output_scent"', 0),
        "output_scent",
    ),
    "an annotation": (swap(RESPONSE, rb'"annotations": \[\]', b'"annotations": [{"type": "rumour"}]'), "rumour"),
    "a status": (swap(RESPONSE, rb'"status": "completed"', b'"status": "paused"', 0), "paused"),
    "a service tier": (swap(RESPONSE, rb'"service_tier": "\w+"', b'"service_tier": "turbo"'), "turbo"),
    "a truncation": (swap(RESPONSE, rb'"truncation": "\w+"', b'"truncation": "gentle"'), "gentle"),
    "an effort": (
        swap(RESPONSE, rb'"reasoning": {.*?}', b'"reasoning": {"effort": "heroic", "summary": null}'),
        "heroic",
    ),
    "a tool": (swap(RESPONSE, rb'"tools": \[\]', b'"tools": [{"type": "hammer"}]'), "hammer"),
    "a choice of tools": (swap(RESPONSE, rb'"tool_choice": "auto"', b'"tool_choice": "whim"'), "whim"),
    "a choice of tools with more": (
        swap(RESPONSE, rb'"tool_choice": "auto"', b'"tool_choice": {"type": "whim"}'),
        "whim",
    ),
    "a finish_reason": (swap(CHAT, rb'"finish_reason":"stop"', b'"finish_reason":"paused"'), "paused"),
    "a finish_reason of a stream": (
        swap(CHAT_STREAM, rb'"finish_reason":"stop"', b'"finish_reason":"paused"'),
        "paused",
    ),
    "a role": (swap(CHAT, rb'"role":"assistant"', b'"role":"narrator"'), "narrator"),
    "a role of a stream": (swap(CHAT_STREAM, rb'"role":"assistant"', b'"role":"narrator"'), "narrator"),
    "a kind of call": (swap(TOOL_STREAM, rb'"type":"function"', b'"type":"wish"'), "wish"),
}


@pytest.mark.parametrize("name", NEW)
def test_what_a_newer_api_says_is_an_info_that_names_it(name: str, workplace: Workplace, capsys: Capsys) -> None:
    recording, word = NEW[name]
    workplace.tape("news", recording, notes=RECORDED)
    checked = workplace.check(capsys, "--json")
    assert checked.code == 0, checked.text
    told = [finding["message"] for finding in checked.findings if finding["code"] == "sdk"]
    assert told
    assert all(message.startswith(f"'{word}' is unknown; known: ") for message in told)


def test_what_a_user_reads_of_what_is_new(workplace: Workplace, capsys: Capsys) -> None:
    """The golden file leaves out the known words, which come from the SDK."""
    texts = []
    for name, (recording, _) in NEW.items():
        workplace.tape("news", recording, notes=RECORDED)
        lines = [
            line.partition("; known: ")[0] for line in workplace.check(capsys).text.splitlines() if "; known: " in line
        ]
        texts.append("\n".join([f"--- {name}", *lines]))
    assert_golden("../lint/golden/newer.txt", "\n".join(texts) + "\n")


KEEPALIVE = {
    "counted": renumbered(with_event(event("keepalive"), 2)),
    "with a number of its own": with_event(event("keepalive"), 5),
    "without a number": with_event(event("keepalive", numbered=False), 5),
    "without data": with_event(b"event: keepalive", 5),
    "before the first event": renumbered(with_event(event("keepalive"), 0)),
    "after the last event": renumbered(with_event(event("keepalive"), 10)),
    "a comment": with_event(b": keepalive", 5),
    "often": renumbered(with_event(event("keepalive"), 2, with_event(event("keepalive"), 2))),
}
FINE = {
    "a choice of some tools": swap(
        RESPONSE,
        rb'"tool_choice": "auto"',
        b'"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]}',
    ),
    "no effort": swap(RESPONSE, rb'"reasoning": {.*?}', b'"reasoning": {"effort": "none", "summary": null}'),
    "the highest effort": swap(RESPONSE, rb'"reasoning": {.*?}', b'"reasoning": {"effort": "xhigh", "summary": null}'),
    "a first choice without a role": answer(reordered(CHAT_STREAM, 0, 2, 3, 4, 5), frame_at_ms=()),
    "a null role": swap(CHAT_STREAM, rb'"role":"assistant"', b'"role":null'),
    **{f"a keepalive {name}": recording for name, recording in KEEPALIVE.items()},
}


@pytest.mark.parametrize("name", FINE)
def test_what_azure_sends_today_is_fine(name: str, workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("fine", FINE[name], notes=RECORDED)
    checked = workplace.check(capsys, "--json")
    assert checked.code == 0, checked.text


@pytest.mark.skipif(not SPECS.is_dir(), reason="set AZURE_SPECS to a folder of OpenAPI descriptions")
@pytest.mark.parametrize("name", [*NEW, *FINE])
def test_azures_own_descriptions_call_it_no_defect_either(name: str, workplace: Workplace, capsys: Capsys) -> None:
    recording = FINE[name] if name in FINE else NEW[name][0]
    workplace.tape("fine", recording, notes=RECORDED)
    checked = workplace.check(capsys, "--json", "--specs", str(SPECS))
    assert checked.code == 0, checked.text


WRONG = {  # defects that no newer API explains
    "another object": swap(CHAT, rb'"object":"chat.completion"', b'"object":"chat.conclusion"'),
    "a word that is a number": swap(CHAT, rb'"finish_reason":"stop"', b'"finish_reason":7'),
    "an item without a type": swap(RESPONSE, rb'"type": "message",', b""),
    "a known item without its content": swap(RESPONSE, rb'"content": \[.*?\]\s*,\s*"role"', b'"role"'),
    "a known event with another number": swap(RESPONSE_STREAM, rb'"sequence_number":5', b'"sequence_number":6'),
    "no known event at the end": swap(RESPONSE_STREAM, rb"response\.completed", b"response.concluded", 2),
    "no known event at the start": swap(RESPONSE_STREAM, rb"response\.created", b"response.conceived", 2),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_defect_stays_one(name: str, workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("wrong", WRONG[name], notes=RECORDED)
    assert workplace.check(capsys, "--json").code == 1
