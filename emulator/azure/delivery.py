"""Sends an answer frame by frame on its schedule, up to its end or to the place where a fault breaks it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ..connection import Connection
from .asgi import Send
from .journal import Exchange, Journal
from .plan import STALL, Plan

Hold = Callable[[Exchange, int], Awaitable[None]]
BREAKS = {  # a recorded client that left has got no more than this
    "reset": Connection.reset,
    "truncated": Connection.close,
    "client_cancelled": Connection.close,
}


async def deliver(
    plan: Plan, exchange: Exchange, send: Send, journal: Journal, time_scale: float = 0.0, hold: Hold | None = None
) -> None:
    """Send an answer as planned, `time_scale` times as fast as recorded, or at once for 0. `hold` is awaited before
    each frame."""
    if plan.wait:
        await asyncio.sleep(plan.wait)
    if plan.silent:
        await break_off(plan.ending, exchange)
        return
    exchange.plan, exchange.sent_headers, exchange.sending = plan, plan.headers, plan.bodies
    is_paced = time_scale or plan.pause
    if exchange.connection and plan.messages and not (is_paced or hold):
        exchange.connection.joins = True
    await send(plan.head)
    started = 0.0
    if is_paced:
        started = time.monotonic()
        exchange.head_at, exchange.time_scale = started, time_scale
    for number, (at, message) in enumerate(plan.messages, 1):
        if hold:
            await hold(exchange, number - 1)
        if is_paced:
            due = started + (at / time_scale if time_scale else 0.0) + plan.pause * number
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        journal.sent(exchange)
        await send(message)
    if plan.ends:
        if not plan.messages:
            await send({"type": "http.response.body", "body": b""})
    elif plan.ending == STALL:
        await asyncio.Event().wait()  # until the client leaves
    else:
        if plan.raw and exchange.connection:
            exchange.connection.write(plan.raw)
        await break_off(plan.ending, exchange)


async def break_off(how: str, exchange: Exchange) -> None:
    """Break the connection in the way of an outcome (interaction.OUTCOMES), and wait for its end."""
    assert exchange.connection is not None
    exchange.broken = how
    BREAKS[how](exchange.connection)
    await asyncio.Event().wait()  # until the disconnect cancels it
