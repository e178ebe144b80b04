"""DSPy programs through the proxy, on LiteLLM (`headers=`) and on DSPy's own engine."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

dspy = pytest.importorskip("dspy")

from emulator.emulation import Emulator  # noqa: E402
from tests.e2e.scenarios import dspy_programs, embeddings  # noqa: E402

# LiteLLM's streaming makes pydantic warn about one of LiteLLM's own types.
ENGINES = {"litellm": dspy_programs.litellm_lm, "native": dspy_programs.native_lm}
USER_AGENTS = {"litellm": "DSPy/", "native": "lm15/"}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, proxy_base_url: str, function_key: str) -> Iterator[str]:
    """Each of DSPy's engines, configured for the test."""
    with dspy.context(lm=ENGINES[request.param](proxy_base_url, function_key)):
        yield request.param


def test_each_engine_speaks_for_itself(engine: str, aoai_emulator: Emulator) -> None:
    dspy_programs.predict()
    assert str(aoai_emulator.requests[0].header("user-agent")).startswith(USER_AGENTS[engine])


def test_predict_answers(engine: str) -> None:
    assert dspy_programs.predict().answer == "Oslo"


def test_chain_of_thought_gives_its_reasoning_and_an_int(engine: str) -> None:
    prediction = dspy_programs.chain_of_thought()
    assert prediction.answer == 12
    assert "four legs" in prediction.reasoning


def test_a_typed_signature_gives_typed_fields(engine: str) -> None:
    prediction = dspy_programs.typed()
    assert (prediction.mood, prediction.stars) == ("sad", 1)


def test_react_uses_its_tool_and_answers(engine: str, aoai_emulator: Emulator) -> None:
    prediction = dspy_programs.agent()
    assert prediction.answer == "It is -3 degrees Celsius."
    assert prediction.trajectory["observation_0"] == -3
    assert [request.recording for request in aoai_emulator.requests] == [f"dspy/react #{turn}" for turn in (1, 2, 3)]


def test_json_adapter_gets_json(proxy_base_url: str, function_key: str) -> None:
    with dspy.context(lm=dspy_programs.litellm_lm(proxy_base_url, function_key)):
        prediction = dspy_programs.as_json()
    assert (prediction.mood, prediction.stars) == ("happy", 5)


@pytest.mark.anyio
async def test_streamify_streams_the_answer(engine: str, aoai_emulator: Emulator) -> None:
    chunks, prediction = await dspy_programs.streamed()
    assert prediction.answer == "They warn ships of rocks, all night long."
    assert "".join(chunks).strip() == prediction.answer
    assert len(chunks) > 3
    assert b'"stream":true' in aoai_emulator.requests[0].body.replace(b" ", b"")


def test_the_responses_api_answers(proxy_base_url: str, function_key: str, aoai_emulator: Emulator) -> None:
    with dspy.context(lm=dspy_programs.litellm_lm(proxy_base_url, function_key, model_type="responses")):
        assert dspy_programs.predict().answer == "Oslo"
    assert aoai_emulator.requests[0].target == "/openai/v1/responses"


def test_an_embedder_gives_vectors(proxy_base_url: str, function_key: str) -> None:
    assert dspy_programs.embedder(proxy_base_url, function_key).shape == (2, embeddings.DIMENSIONS)


def test_the_fixture_of_the_plugin_is_a_configured_lm(dspy_lm: Any) -> None:
    assert dspy.settings.lm is dspy_lm
    assert dspy_programs.predict().answer == "Oslo"


def test_a_model_that_is_not_served_costs_one_request_and_no_retry(
    proxy_base_url: str, function_key: str, aoai_emulator: Emulator
) -> None:
    make: Callable[..., Any] = dspy.LM
    lm = make("openai/gpt-3", api_base=proxy_base_url, api_key="unused", headers={"x-functions-key": function_key})
    with pytest.raises(dspy.LMUnsupportedModelError), dspy.context(lm=lm):
        dspy_programs.predict()
    assert aoai_emulator.requests == []
