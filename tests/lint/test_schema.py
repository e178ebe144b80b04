"""The schema agrees with pydantic in strict mode, on valid answers and on answers with one spoiled value."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from emulator import lint
from emulator.lint import sdk
from emulator.lint.context import Context
from emulator.lint.recording import Recording
from emulator.lint.schema import Schema
from emulator.lint.tapes import Tapes
from emulator.tape.cassette import Interaction
from emulator.tape.route import parse
from tests.lint.planting import CHAT, CHAT_STREAM, RESPONSE, RESPONSE_STREAM, TOOL_STREAM, VECTORS

OTHERS: tuple[Any, ...] = (None, True, 7, 7.5, "text", [], {}, ["text"], {"type": "text"})


def recording_of(interaction: Interaction) -> Recording:
    route = parse(interaction.request.uri)
    assert route is not None
    return Recording("a test", 1, interaction, route, synthetic=True)


def with_all_usage(interaction: Interaction) -> Interaction:
    """The answer with the counts that Azure leaves out. The SDK's type requires them."""
    counted = re.sub(
        rb'("cached_tokens": ?0)(?=\s*},\s*"output)', rb'\1, "cache_write_tokens": 0', interaction.response.body
    )
    return replace(interaction, response=replace(interaction.response, body=counted))


def spoiled(value: Any) -> Iterator[Any]:
    """Yields the value without one of its parts, then with a part replaced by another kind of value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield {other: value[other] for other in value if other != name}
            yield from ({**value, name: other} for other in (*OTHERS, *spoiled(item)))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from ([*value[:at], other, *value[at + 1 :]] for other in (*OTHERS, *spoiled(item)))


@pytest.mark.parametrize(
    ("interaction", "step"),
    [(CHAT, 1), (CHAT_STREAM, 3), (TOOL_STREAM, 3), (RESPONSE, 3), (RESPONSE_STREAM, 23), (VECTORS, 1)],
)
def test_what_pydantic_refuses_is_a_violation_and_nothing_else_is(interaction: Interaction, step: int) -> None:
    """The test takes each `step`-th of the spoiled answers, to save time."""
    recording = recording_of(with_all_usage(interaction))
    types = sdk.EVENTS if recording.kind.streamed else sdk.ANSWERS
    adapter = TypeAdapter(types[recording.kind.operation])
    node = adapter.json_schema()
    schema, verdicts = Schema(node, node), set()
    for document in {str(d.value.get("type")): d for d in recording.documents}.values():
        for value in islice(spoiled(document.value), 0, None, step):
            text = json.dumps(value)
            try:
                adapter.validate_json(text, strict=True)
                refused = False
            except ValidationError:
                refused = True
            violated = any(one.kind != "unknown" for one in schema.violations(value))
            assert violated == refused, text
            verdicts.add(refused)
    assert verdicts == {True, False}


@pytest.mark.parametrize("interaction", [CHAT, CHAT_STREAM, TOOL_STREAM, RESPONSE_STREAM, VECTORS])
def test_no_check_stumbles_over_an_odd_answer(interaction: Interaction) -> None:
    real = Tapes((recording_of(interaction),))
    for value in _odd(interaction):
        body = json.dumps(value).encode()
        if interaction.response.is_stream:
            body = interaction.response.body.replace(b"\n\n", b"\n\ndata: " + body + b"\n\n", 3)
        odd = replace(interaction, response=replace(interaction.response, body=body))
        assert lint.findings(Tapes((recording_of(odd),)), Context(real))


def _odd(interaction: Interaction) -> list[Any]:
    documents = recording_of(interaction).documents
    return [*OTHERS, *(value for document in documents[1:4] or documents for value in spoiled(document.value))][::11]


DESCRIPTION: dict[str, Any] = {
    "Base": {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"type": "string"}},
        "discriminator": {"propertyName": "type", "mapping": {"a": "#/A", "b": "#/B"}},
    },
    "A": {"allOf": [{"$ref": "#/Base"}], "required": ["x"], "properties": {"x": {"type": "integer", "nullable": True}}},
    "B": {
        "allOf": [{"$ref": "#/Base"}],
        "properties": {"role": {"enum": ["me", "you"]}},
        "discriminator": {"propertyName": "role", "mapping": {"me": "#/Me"}},
    },
    "Me": {"allOf": [{"$ref": "#/B"}], "required": ["name"]},
}


@pytest.mark.parametrize(
    ("value", "violations"),
    [
        ({"type": "a", "x": 1}, []),
        ({"type": "a", "x": None}, []),
        ({"type": "a", "x": "1"}, [("x", "mistyped")]),
        ({"type": "a"}, [("x", "missing")]),
        ({"x": 1}, [("type", "missing"), ("x", "unknown")]),
        ({"type": "c"}, [("type", "unknown")]),
        ({"type": 1}, [("type", "mistyped")]),
        ({"type": "b", "role": "me"}, [("name", "missing")]),
        ({"type": "b", "role": "you"}, [("role", "unknown")]),
        ("text", [("", "mistyped")]),
    ],
)
def test_a_discriminator_names_the_schema_that_counts(value: Any, violations: list[tuple[str, str]]) -> None:
    found = Schema({"$ref": "#/Base"}, copy.deepcopy(DESCRIPTION)).violations(value)
    assert [(one.path, one.kind) for one in found] == violations
