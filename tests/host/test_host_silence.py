"""One timer notices the silence of every exchange, and takes none for another's."""

import asyncio
import time
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.host.http import exchange
from emulator.host.http.exchange import Exchange, Silence

TIMEOUT_S = 0.2


@pytest.mark.anyio
async def test_an_exchange_ends_after_its_own_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "ACTIVITY_TIMEOUT_S", TIMEOUT_S)
    silence, connection, lasted = Silence(), SimpleNamespace(joins=False), dict[str, float]()

    async def quiet(*_: Any) -> dict[str, Any]:
        return {}

    async def run(name: str, moves: int, ends: bool = False) -> None:
        """Moves so many times, each before the silence is too long; then it waits, or ends."""
        one: Any = Exchange(quiet, quiet, connection, deque(), 1_000, silence)
        began = time.monotonic()
        try:
            with one:
                for _ in range(moves):
                    await asyncio.sleep(0.6 * TIMEOUT_S)
                    await one.receive()
                if not ends:
                    await asyncio.sleep(60)
        except TimeoutError:
            lasted[name] = (time.monotonic() - began) / TIMEOUT_S

    await asyncio.gather(run("still", 0), run("moving", 3), run("ended", 2, ends=True))
    assert lasted == {"still": pytest.approx(1.0, abs=0.5), "moving": pytest.approx(2.8, abs=0.6)}
    assert not silence.open
    await run("later", 0)
    assert lasted["later"] == pytest.approx(1.0, abs=0.5)
    silence.stop()
