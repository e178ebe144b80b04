"""A busy host accepts new callers."""

import asyncio
import socket

import pytest
from starlette.types import Receive, Scope, Send

from emulator.host.http.listener import Listener, Protocol
from emulator.server import bind, run

CALLERS = 16


async def nothing(scope: Scope, receive: Receive, send: Send) -> None: ...


def test_callers_who_come_together_are_let_in_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test counts turns of the loop: in a busy loop, each turn does everybody's work."""
    turn, accepted = 0, list[int]()
    made = Protocol.connection_made

    def counted(self: Protocol, transport: asyncio.Transport) -> None:
        accepted.append(turn)
        made(self, transport)  # type: ignore[arg-type]

    monkeypatch.setattr(Protocol, "connection_made", counted)

    async def main() -> None:
        nonlocal turn
        sock, started = bind(0), asyncio.Event()
        listener = Listener(nothing, sock, on_started=started.set)
        serving = asyncio.create_task(listener.serve())
        await started.wait()
        callers = [socket.create_connection(sock.getsockname()) for _ in range(CALLERS)]  # the loop waits meanwhile
        while len(accepted) < CALLERS and turn < 1_000:
            turn += 1
            await asyncio.sleep(0)
        for caller in callers:
            caller.close()
        await listener.stop()
        await serving

    run(main())
    assert len(accepted) == CALLERS
    assert accepted[-1] - accepted[0] <= 2
