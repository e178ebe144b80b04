import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from emulator.emulation import Emulator
from tests.e2e.scenarios import Ask, client_options


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, aoai_emulator: Emulator) -> Ask:
    """Runs a function of the scenarios with the SDK's sync or async client. A stream becomes a list."""
    options = client_options(aoai_emulator.stack.base_url, aoai_emulator.stack.function_key)

    def ask_sync(function: Callable[[Any], Any]) -> Any:
        with OpenAI(**options) as client:
            answer = function(client)
            return list(answer) if hasattr(answer, "__next__") else answer

    async def ask_async(function: Callable[[Any], Any]) -> Any:
        async with AsyncOpenAI(**options) as client:
            answer = await function(client)
            return [chunk async for chunk in answer] if hasattr(answer, "__anext__") else answer

    return ask_sync if request.param == "sync" else lambda function: asyncio.run(ask_async(function))


@pytest.fixture(scope="session", autouse=True)
def no_stray_event_loop() -> None:
    """LiteLLM asks for the thread's event loop. Before Python 3.14 that makes one, which nobody closes."""
    asyncio.set_event_loop(None)
