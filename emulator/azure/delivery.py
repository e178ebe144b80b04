"""How an answer leaves: frame by frame on its schedule, to its end or to the end that a fault has for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ..connection import Connection
from ..tape.interaction import COMPLETE, Response
from ..tape.stream import pieces
from .asgi import Send, start
from .faults import CLEANLY, STALL, Plan
from .journal import Exchange, Journal

Hold = Callable[[Exchange, int], Awaitable[None]]
BREAKS = {  # what a client that left did is not known; it got no more than this
    "reset": Connection.reset,
    "truncated": Connection.finish,
    "client_cancelled": Connection.finish,
}
NOT_REPLAYED = ("content-length", "transfer-encoding", "connection", "keep-alive")  # the server's own business


async def deliver(
    plan: Plan,
    whole: Response,
    exchange: Exchange,
    send: Send,
    journal: Journal,
    time_scale: float = 0.0,
    hold: Hold | None = None,
) -> None:
    """Send what the plan made of the `whole` answer. `hold` is awaited before each frame."""
    response = plan.response
    if plan.wait:
        await asyncio.sleep(plan.wait)
    if plan.silent:
        await break_off(plan.ending, exchange)
        return
    kept = [(name, value) for name, value in response.headers if name.lower() not in NOT_REPLAYED]
    ends = plan.ending in (COMPLETE, CLEANLY)
    if not response.header("transfer-encoding"):
        promised = "" if ends else whole.header("content-length")
        kept.append(("content-length", promised or str(len((response if ends else whole).body))))
    exchange.sent_headers = tuple(kept)
    await start(send, response.status, kept)
    started = time.monotonic()
    played = pieces(response, time_scale)
    for number, piece in enumerate(played):
        if hold:
            await hold(exchange, number)
        if (wait := started + piece.at - time.monotonic() + plan.pause * (number + 1)) > 0:
            await asyncio.sleep(wait)
        journal.sent(exchange, piece.data)
        more = not ends or number + 1 < len(played)
        await send({"type": "http.response.body", "body": piece.data, "more_body": more})
    if ends and not played:
        await send({"type": "http.response.body", "body": b""})
    elif plan.ending == STALL:
        await asyncio.Event().wait()  # until the client leaves
    elif not ends:
        if plan.raw and exchange.connection:
            exchange.connection.raw(plan.raw)
        await break_off(plan.ending, exchange)


async def break_off(how: str, exchange: Exchange) -> None:
    """Break the connection as a cassette says (interaction.OUTCOMES), and wait for its end."""
    assert exchange.connection is not None
    exchange.broken = how
    BREAKS[how](exchange.connection)
    await asyncio.Event().wait()  # until the disconnect cancels it
