"""DSPy's adapters read the improvised answers to their own prompts."""

import datetime
import enum
import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from emulator.synthetic.fields import Fields, fields_of
from emulator.synthetic.fields.annotation import schema
from emulator.synthetic.instance import instance
from emulator.synthetic.seed import Seed

dspy = pytest.importorskip("dspy")


class Mood(enum.Enum):
    HAPPY = "happy"
    SAD = "sad"


class Animal(BaseModel):
    name: str
    legs: int
    friends: list[str] = []


class Everything(dspy.Signature):  # type: ignore[misc]
    """Judge the text."""

    text: str = dspy.InputField()
    word: str = dspy.OutputField(desc="one word (a noun): no more")
    count: int = dspy.OutputField()
    ratio: float = dspy.OutputField()
    is_open: bool = dspy.OutputField()
    kind: Literal["a b", "it's", "c; d"] = dspy.OutputField()
    number: Literal[1, 2] = dspy.OutputField()
    mood: Mood = dspy.OutputField()
    tags: list[str] = dspy.OutputField()
    table: dict[str, Any] = dspy.OutputField()
    ages: dict[str, int] = dspy.OutputField()
    pair: tuple[int, str] = dspy.OutputField()
    choices: list[Literal["x", "y"]] = dspy.OutputField()
    animal: Animal = dspy.OutputField()
    zoo: list[Animal] = dspy.OutputField()
    maybe: int | None = dspy.OutputField()
    when: datetime.datetime = dspy.OutputField()
    day: datetime.date = dspy.OutputField()


class Moody(dspy.Signature):  # type: ignore[misc]
    text: str = dspy.InputField()
    mood: Literal["happy", "sad"] = dspy.OutputField()
    feeling: Literal[True, None] = dspy.OutputField()


def weather(city: str, days: int = 3) -> str:
    """Tells the weather (in words)."""
    return f"rain in {city} for {days} days"


def add(a: int, b: float) -> float:
    return a + b


ADAPTERS = {"chat": dspy.ChatAdapter(), "json": dspy.JSONAdapter(), "xml": dspy.XMLAdapter()}
SEEDS = [Seed(str(number)) for number in range(6)]
TEXT = "The soup was cold,\nand nobody smiled."


def asked(adapter: str, signature: Any, demos: list[dict[str, Any]] | None = None, **inputs: Any) -> Fields:
    fields = fields_of(ADAPTERS[adapter].format(signature, demos or [], inputs))
    assert fields
    assert fields.form == adapter
    return fields


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    "signature", [Everything, Moody, dspy.Signature("text -> answer"), dspy.Signature("text -> n: int")]
)
def test_every_adapter_reads_the_answer_to_its_prompt(adapter: str, signature: Any) -> None:
    fields = asked(adapter, signature, text=TEXT)
    for seed in SEEDS:
        assert ADAPTERS[adapter].parse(signature, fields.answer(seed)).keys() == signature.output_fields.keys()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_field_of_text_quotes_what_was_asked_and_no_marker(adapter: str) -> None:
    answer = ADAPTERS[adapter].parse(Everything, asked(adapter, Everything, text=TEXT).answer(SEEDS[0]))
    assert answer["word"].startswith("You said: “The soup was cold, and nobody smiled.”.")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_examples_in_the_prompt_are_no_request(adapter: str) -> None:
    demos = [{"text": "It was [[ ## great ## ]] <b>.", "mood": "happy", "feeling": True}]
    fields = asked(adapter, Moody, demos, text="Respond with a JSON object in the following order of fields: `x`")
    assert fields.names == ("mood", "feeling")


def test_an_agent_calls_each_tool_once_and_then_finishes() -> None:
    agent = dspy.ReAct("question -> answer: int", tools=[weather, add])
    for name, adapter in ADAPTERS.items():
        told: list[str] = []
        trajectory: dict[str, Any] = {}
        for turn in range(3):
            so_far = adapter.format_user_message_content(
                dspy.Signature(f"{', '.join(trajectory or 'x')} -> y"), trajectory
            )
            fields = asked(name, agent.react.signature, question="How warm is it?", trajectory=so_far)
            step = adapter.parse(agent.react.signature, fields.answer(SEEDS[turn]))
            told.append(step["next_tool_name"])
            agent.tools[told[-1]](**step["next_tool_args"])  # raises for arguments that do not fit
            trajectory |= {f"tool_name_{turn}": told[-1], f"tool_args_{turn}": step["next_tool_args"]}
            trajectory[f"observation_{turn}"] = "rain"
        assert told == ["weather", "add", "finish"]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "What is [[ ## this ## ]]?"}],
        [{"role": "user", "content": None}],
        [{"role": "system", "content": "Respond with a JSON object in the following order of fields: `a`."}],
        [{"role": "user", "content": "Respond with the corresponding output fields, starting with the field"}],
    ],
)
def test_a_prompt_that_asks_for_no_fields_gets_none(messages: list[dict[str, Any]]) -> None:
    assert fields_of(messages) is None


@pytest.mark.parametrize("form", [adapter.user_message_output_requirements for adapter in ADAPTERS.values()])
@pytest.mark.parametrize(
    "note", ["", "adhere to the JSON schema: {", 'adhere to the JSON schema: "a"', "be one of: ", '"']
)
def test_a_note_that_cannot_be_read_makes_a_field_of_text(form: Callable[[Any], str], note: str) -> None:
    system = f"{{answer}}  # note: the value you produce must {note}"
    request = form(dspy.Signature("question -> answer"))
    fields = fields_of([{"role": "developer", "content": system}, {"role": "user", "content": f"Hello? {request}"}])
    assert fields
    assert isinstance(fields.values(SEEDS[0])["answer"], str)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", {"type": "integer"}),
        ("Optional[list[float]]", {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]}),
        ("int | None", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("tuple[int, ...]", {"type": "array", "items": {"type": "integer"}}),
        ("Literal['a', 2]", {"enum": ["a", 2]}),
        ("Animal", None),
        ("list[Animal]", None),
        ("list[", None),
        ("__import__('os').system('true')", None),
        ("Literal[open('/etc/passwd')]", None),
        ("[" * 500, None),
    ],
)
def test_a_python_type_is_read_as_a_schema(annotation: str, expected: Any) -> None:
    assert schema(annotation) == expected
    json.dumps(instance(expected or {}, SEEDS[0]))
