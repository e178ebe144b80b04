"""The loop of every agent ends on an improvised service, offline. The agents are those of requirements-openai3.txt."""

import asyncio
from typing import Any

import pytest

from emulator.emulation import Emulator
from tests.e2e.improvised import QUESTION, made_up

pytestmark = pytest.mark.aoai_improvise

MODELS = ("gpt-4o-mini", "gpt-5-mini")


def temperature(city: str) -> int:
    """The temperature in a city, in degrees Celsius."""
    assert city
    return 12


@pytest.mark.parametrize("api", ["OpenAIChatCompletionsModel", "OpenAIResponsesModel"])
@pytest.mark.parametrize("model", MODELS)
def test_openai_agents_end(async_openai_client: Any, aoai_emulator: Emulator, api: str, model: str) -> None:
    agents = pytest.importorskip("agents")
    agents.set_tracing_disabled(True)
    served = getattr(agents, api)(model=model, openai_client=async_openai_client)
    tools = [agents.function_tool(temperature)]
    other = agents.Agent(name="Another", model=served, tools=tools)
    agent = agents.Agent(name="One", instructions="Help.", model=served, tools=tools, handoffs=[other])

    async def ask() -> tuple[Any, Any]:
        whole = await agents.Runner.run(agent, QUESTION)
        streamed = agents.Runner.run_streamed(agent, QUESTION)
        async for _ in streamed.stream_events():
            pass
        return whole.final_output, streamed.final_output

    whole, streamed = asyncio.run(ask())
    assert QUESTION in whole
    assert QUESTION in streamed
    assert made_up(aoai_emulator) == 4


@pytest.mark.parametrize("options", [{}, {"use_responses_api": True}, {"streaming": True}], ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_langchains_agent_ends(aoai_emulator: Emulator, model: str, options: dict[str, Any]) -> None:
    openai, agents = pytest.importorskip("langchain_openai"), pytest.importorskip("langchain.agents")
    stack = aoai_emulator.stack
    served = openai.ChatOpenAI(
        model=model,
        base_url=stack.base_url,
        api_key="unused",
        default_headers={"x-functions-key": stack.function_key},
        **options,
    )
    told = agents.create_agent(served, [temperature]).invoke({"messages": [{"role": "user", "content": QUESTION}]})
    assert QUESTION in told["messages"][-1].text
    assert made_up(aoai_emulator) == 2


@pytest.mark.parametrize("api", ["OpenAIChatModel", "OpenAIResponsesModel"])
@pytest.mark.parametrize("model", MODELS)
def test_pydantic_ais_agent_ends(async_openai_client: Any, aoai_emulator: Emulator, api: str, model: str) -> None:
    pydantic_ai = pytest.importorskip("pydantic_ai")
    models = pytest.importorskip("pydantic_ai.models.openai")
    providers = pytest.importorskip("pydantic_ai.providers.openai")
    served = getattr(models, api)(model, provider=providers.OpenAIProvider(openai_client=async_openai_client))

    async def ask(kind: Any) -> Any:
        return (await pydantic_ai.Agent(served, output_type=kind, tools=[temperature]).run(QUESTION)).output

    async def both() -> tuple[Any, Any]:
        return await ask(str), await ask(list[int])

    text, numbers = asyncio.run(both())
    assert QUESTION in text
    assert isinstance(numbers, list)
    assert made_up(aoai_emulator) == 4
