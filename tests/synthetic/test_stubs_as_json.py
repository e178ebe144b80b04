"""A stub in JSON, as tests in other languages send it, does what the stub in Python does (docs/stubs.md)."""

import json
from typing import Any

import pytest

from emulator.synthetic.stubs import Stub, StubError
from emulator.synthetic.stubs.condition import Condition
from tests.golden import assert_golden
from tests.pages import blocks

GOOD: list[dict[str, Any]] = [
    {"then": {"answers": "It rains."}},
    {"when": {"contains": "weather", "model": "gpt-4o-mini", "route": "chat"}, "then": {"answers": ["A", "B"]}},
    {"when": {"tool_result": True, "path": {"seed": 7}}, "then": {"json": None}, "times": None, "optional": True},
    {"then": {"calls": [{"name": "f", "arguments": {"name": "x"}}, {"name": "g", "arguments": {}}]}, "times": 3},
    {"then": {"thinks": {"tokens": 64, "summary": "Hm."}, "answers": "It rains", "cut": True}},
    {"then": {"embeds": True}},
    {"then": {"embeds": [[0.5, 1.0]]}},
    {"then": {"fails": "rate_limited; retry=ms"}},
    {"then": {"fails": "reset; at_frame=3", "answers": "It rains."}},
]


@pytest.mark.parametrize("told", GOOD, ids=json.dumps)
def test_what_is_read_is_written_again(told: dict[str, Any]) -> None:
    stub = Stub.from_json(told)
    written = json.loads(json.dumps(stub.as_json()))
    assert written == {"when": {}, "times": 1, "optional": False} | told
    assert str(Stub.from_json(written)) == str(stub)


def test_the_example_of_the_docs_is_read() -> None:
    (example,) = blocks("docs/stubs.md", "json")
    assert Stub.from_json(json.loads(example)).as_json() == json.loads(example)


BAD: dict[str, Any] = {
    "no object": ["It rains."],
    "an unknown part": {"then": {"answers": "A"}, "if": {}},
    "no answer": {"when": {"contains": "weather"}},
    "an empty answer": {"then": {}},
    "thinking alone": {"then": {"thinks": {"tokens": 64}}},
    "an unknown condition": {"when": {"text": "weather"}, "then": {"answers": "A"}},
    "a predicate": {"when": {"where": "lambda request: True"}, "then": {"answers": "A"}},
    "an unknown verb": {"then": {"says": "A"}},
    "a route that is no text": {"when": {"route": ["chat"]}, "then": {"answers": "A"}},
    "times as text": {"then": {"answers": "A"}, "times": "3"},
    "times as a boolean": {"then": {"answers": "A"}, "times": True},
    "optional as text": {"then": {"answers": "A"}, "optional": "no"},
    "an answer that is no text": {"then": {"answers": {"degrees": 12}}},
    "no choices": {"then": {"answers": []}},
    "text and JSON": {"then": {"answers": "A", "json": 1}},
    "cut as text": {"then": {"answers": "A", "cut": "yes"}},
    "a call that is cut": {"then": {"calls": [{"name": "f"}], "cut": True}},
    "a call that is no object": {"then": {"calls": ["f"]}},
    "a call without a name": {"then": {"calls": [{"arguments": {}}]}},
    "arguments as text": {"then": {"calls": [{"name": "f", "arguments": "{}"}]}},
    "thinking without tokens": {"then": {"answers": "A", "thinks": {"summary": "Hm."}}},
    "thinking as a number": {"then": {"answers": "A", "thinks": 64}},
    "vectors that are none": {"then": {"embeds": [0.5]}},
    "vectors turned off": {"then": {"embeds": False}},
    "a fault that is no text": {"then": {"fails": ["reset"]}},
}


def test_what_is_wrong_is_told_with_its_place() -> None:
    told = []
    for name, stub in BAD.items():
        with pytest.raises(StubError) as bad:
            Stub.from_json(stub)
        told.append(f"{name}:\n  {bad.value}\n")
    with pytest.raises(StubError) as bad:
        Stub(Condition(where=callable)).answers("A").as_json()
    told.append(f"a predicate is written:\n  {bad.value}\n")
    assert_golden("stubs/bad_json.txt", "".join(told))
