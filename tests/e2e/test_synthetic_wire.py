"""Synthetic answers have the shape of recorded ones. Each test makes an answer to a recorded request, with the recorded
text of the model. It has the same keys in the same order, the same kinds of values, the same frames and headers.

The recordings are not part of this project; AZURE_RECORDINGS names their folder (default: ../shared/azure-recordings).
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import ROOT
from emulator.synthetic import Answer, Asked, calls, filtered, says
from emulator.synthetic.seed import Seed
from emulator.tape import cassette
from emulator.tape.cassette import Interaction, Response
from emulator.tape.route import parse

FOLDER = Path(os.environ.get("AZURE_RECORDINGS", ROOT.parent / "shared" / "azure-recordings")) / "mirascope/output"
FILES = cassette.find([FOLDER]) if FOLDER.is_dir() else []
needs_recordings = pytest.mark.skipif(not FILES, reason="set AZURE_RECORDINGS to a folder of recordings")


def recorded(operation: str, status: int = 200) -> list[Any]:
    found = [item for path, name in FILES for item in cassette.load(path, name).interactions]
    mine = [i for i in found if operation_of(i) == operation and i.response.status == status]
    return [pytest.param(interaction, id=interaction.label) for interaction in mine]


def operation_of(interaction: Interaction) -> str:
    route = parse(interaction.request.uri)
    return route.operation if route else ""


def asked(interaction: Interaction) -> Asked:
    return Asked(operation_of(interaction), json.loads(interaction.request.body), Seed("a test"))


def frames(response: Response) -> list[dict[str, Any]]:
    """The data of the body's SSE frames, or its one JSON object."""
    if not response.is_stream:
        return [json.loads(response.body)]
    lines = response.body.decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def shape(value: Any) -> str:
    """The value's keys, in order, and kinds, without verdicts, which depend on the day and the deployment."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {shape(v)}" for k, v in value.items() if k != "content_filter_results") + "}"
    if isinstance(value, list):
        return f"[{shape(value[0]) if value else ''}]"
    return type(value).__name__


def chat_reply(response: Response) -> Answer:
    """The model's text in a recorded chat answer."""
    text, functions = "", dict[int, list[str]]()
    for frame in frames(response):
        for choice in frame["choices"]:
            message = choice.get("message") or choice["delta"]
            text += message.get("content") or ""
            for at, call in enumerate(message.get("tool_calls", ())):
                named = functions.setdefault(call.get("index", at), ["", ""])
                named[0] += call["function"].get("name", "")
                named[1] += call["function"]["arguments"]
    return calls(*((name, json.loads(told)) for name, told in functions.values())) if functions else says(text)


@needs_recordings
@pytest.mark.parametrize("interaction", recorded("chat/completions"))
def test_chat_answers_have_the_shape_of_recorded_ones(interaction: Interaction) -> None:
    written = chat_reply(interaction.response)(asked(interaction))
    shapes = [list(dict.fromkeys(map(shape, frames(answer)))) for answer in (interaction.response, written)]
    assert shapes[1] == shapes[0]
    for ending in (b"\n", b"\n\n", b"data: [DONE]\n\n"):
        assert written.body.endswith(ending) == interaction.response.body.endswith(ending)


@needs_recordings
@pytest.mark.parametrize("interaction", recorded("chat/completions"))
def test_chat_answers_have_the_headers_of_recorded_ones(interaction: Interaction) -> None:
    written = chat_reply(interaction.response)(asked(interaction))
    names = [{name.lower() for name, _ in answer.headers} for answer in (interaction.response, written)]
    assert names[1] - names[0] <= {"x-ms-client-request-id"}  # absent from older, dated recordings
    assert names[0] <= names[1]


@needs_recordings
@pytest.mark.parametrize("operation", ["chat/completions", "responses"])
def test_a_filtered_prompt_gets_the_recorded_answer(operation: str) -> None:
    answers = [parameters.values[0] for parameters in recorded(operation, 400)]
    refusals = [interaction for interaction in answers if b'"content_filter"' in interaction.response.body]
    assert refusals
    for interaction in refusals:
        assert filtered("self_harm")(asked(interaction)).body == interaction.response.body


def response_reply(response: Response) -> Answer:
    """The model's text in a recorded answer of the Responses API."""
    final = frames(response)[-1]
    told = final.get("response", final)
    functions = [(i["name"], json.loads(i["arguments"])) for i in told["output"] if i["type"] == "function_call"]
    texts = [item["content"][0]["text"] for item in told["output"] if item["type"] == "message"]
    return calls(*functions) if functions else says(*texts, cut=told["status"] == "incomplete")


def skeleton(events: list[dict[str, Any]]) -> Iterator[tuple[str, list[str], str]]:
    """Each kind of event, once: type, keys (their order changed between the dated API and v1), and its item or part."""
    seen = dict.fromkeys(
        (event["type"], tuple(sorted(event)), shape(event.get("item", event.get("part")))) for event in events
    )
    for kind, keys, inner in seen:
        yield kind, list(keys), inner


@needs_recordings
@pytest.mark.parametrize("interaction", recorded("responses"))
def test_responses_have_the_events_and_items_of_recorded_ones(interaction: Interaction) -> None:
    written = response_reply(interaction.response)(asked(interaction))
    theirs, ours = frames(interaction.response), frames(written)
    if interaction.response.is_stream:
        assert list(skeleton(ours)) == list(skeleton(theirs))
    final, expected = (events[-1].get("response", events[-1]) for events in (ours, theirs))
    since = {"completed_at", "frequency_penalty", "presence_penalty", "prompt_cache_retention"}  # 2026 has more
    assert [name for name in final if name not in since] == [name for name in expected if name not in since]
    assert [shape(item) for item in final["output"]] == [shape(item) for item in expected["output"]]
    assert shape(final["usage"]) == shape(expected["usage"])


def test_streamed_chunks_are_padded_as_azure_pads_them() -> None:
    """Without its verdicts, a chunk has 16 n + 1 bytes, as have 979 of 1,001 recorded chunks."""
    body = {"model": "gpt-4o-mini", "messages": [], "stream": True, "stream_options": {"include_usage": True}}
    answer = says("Grüße 🎉, and good night.")(Asked("chat/completions", body, Seed("a test")))
    for chunk in frames(answer)[1:]:
        for choice in chunk["choices"]:
            del choice["content_filter_results"]
        assert len(json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode()) % 16 == 1


def test_a_v1_event_has_its_type_first_and_then_its_keys_in_order() -> None:
    answer = says("Hello.")(Asked("responses", {"model": "gpt-5-mini", "stream": True}, Seed("a test")))
    for event in frames(answer):
        names = list(event)
        assert names == ["type", *sorted(names[1:])]
