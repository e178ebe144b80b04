"""DSPy works on an improvised service: fields, types, adapters, agents, streams."""

import asyncio
from typing import Any

import pytest

from emulator.emulation import Emulator
from tests.e2e.improvised import QUESTION, made_up

dspy = pytest.importorskip("dspy")
programs = pytest.importorskip("tests.e2e.scenarios.dspy_programs")

pytestmark = pytest.mark.aoai_improvise


@pytest.mark.parametrize("engine", ["litellm", "native"])
def test_dspy_gets_its_fields(aoai_emulator: Emulator, engine: str) -> None:
    make = getattr(programs, f"{engine}_lm")
    with dspy.context(lm=make(aoai_emulator.stack.base_url, aoai_emulator.stack.function_key)):
        assert QUESTION in dspy.Predict("question -> answer")(question=QUESTION).answer
        assert isinstance(dspy.ChainOfThought("question -> degrees: int")(question=QUESTION).degrees, int)
        judged = dspy.Predict(programs.Sentiment)(review=QUESTION)
        assert judged.mood in ("happy", "sad")
        with dspy.context(adapter=dspy.JSONAdapter()):
            assert isinstance(dspy.Predict(programs.Sentiment)(review=f"{QUESTION}!").stars, int)
    assert made_up(aoai_emulator) == 4


def test_dspys_agent_calls_its_tools_and_ends(aoai_emulator: Emulator, dspy_lm: Any) -> None:
    called = list[str]()

    def temperature(city: str) -> int:
        """The temperature in a city."""
        called.append(city)
        return 12

    def wind(city: str, height: int) -> str:
        """The wind above a city."""
        called.append(city)
        return "calm"

    told = dspy.ReAct("question -> answer", tools=[temperature, wind])(question=QUESTION)
    assert QUESTION in told.answer
    assert len(called) == 2
    assert made_up(aoai_emulator) == 4, "two calls, the end, the answer"


def test_dspy_streams_an_improvised_field(aoai_emulator: Emulator, dspy_lm: Any) -> None:

    async def streamed() -> tuple[str, Any]:
        listener = dspy.streaming.StreamListener(signature_field_name="answer")
        program: Any = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
        text, prediction = "", None
        async for value in program(question=QUESTION):
            text += value.chunk if isinstance(value, dspy.streaming.StreamResponse) else ""
            prediction = value if isinstance(value, dspy.Prediction) else prediction
        return text, prediction

    text, prediction = asyncio.run(streamed())
    assert text.strip() == prediction.answer
    assert QUESTION in text
    assert made_up(aoai_emulator) == 1
