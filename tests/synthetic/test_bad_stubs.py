"""A stub that is declared wrongly raises an error that says what to write."""

from typing import Any

import pytest

from emulator.emulation import Emulator
from emulator.synthetic.stubs import StubError
from tests.golden import assert_golden

BAD: dict[str, Any] = {
    "an unknown route": lambda on: on(route="completions"),
    "an empty text": lambda on: on(contains=""),
    "no text": lambda on: on(contains=["a", "b"]),
    "a model that is not served": lambda on: on(model="gpt-6"),
    "a tool result for embeddings": lambda on: on(route="embeddings", tool_result="12"),
    "a path that is none": lambda on: on(path={"messages[first]": 1}),
    "a path without values": lambda on: on(path="messages[0].role"),
    "a value that is no JSON": lambda on: on(path={"seed": {1, 2}}),
    "a predicate that is none": lambda on: on(where=True),
    "never": lambda on: on(times=0),
    "two answers": lambda on: on().answers("A").answers("B"),
    "no text to answer": lambda on: on().answers(),
    "a text that is none": lambda on: on().answers({"degrees": 12}),
    "text and JSON": lambda on: on().answers("A", json=1),
    "what is no JSON": lambda on: on().answers(json={1, 2}),
    "a call without a name": lambda on: on().calls(""),
    "arguments that are no JSON": lambda on: on().calls("f", x=object),
    "arguments without names": lambda on: on().calls("f", "Oslo"),
    "text for embeddings": lambda on: on(route="embeddings").answers("A"),
    "choices for responses": lambda on: on(route="responses").answers("A", "B"),
    "vectors for chat": lambda on: on(route="chat").embeds(),
    "vectors and text": lambda on: on().answers("A").embeds(),
    "a vector that is none": lambda on: on().embeds(0.5, 0.6),
    "a number that is too large": lambda on: on().embeds([1e300]),
    "an unknown fault": lambda on: on().fails("rate_limited; times=often"),
    "a fault that never happens": lambda on: on().fails("rate_limited; times=0"),
    "a fault of the identity endpoint": lambda on: on().fails("identity_slow"),
    "a fault without an answer": lambda on: on().fails("reset; at_frame=3"),
    "two numbers of times": lambda on: on(times=3).fails("rate_limited; times=2"),
    "thinking that is no number": lambda on: on().thinks("hard"),
}


def test_a_bad_stub_is_told_where_it_is_declared(aoai_emulator: Emulator) -> None:
    told = []
    for name, declare in BAD.items():
        with pytest.raises(StubError) as bad:
            declare(aoai_emulator.on)
        told.append(f"{name}:\n  {bad.value}\n")
    aoai_emulator.stubs.declared.clear()
    assert_golden("stubs/bad.txt", "".join(told).replace(str(object), "object"))
