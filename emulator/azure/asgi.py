"""The few words of ASGI that the fake Azure speaks."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ..connection import Connection

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientLeft(Exception):
    """The caller closed the connection before the answer was complete."""


async def read_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def until_client_leaves(connection: Connection, work: Awaitable[None]) -> None:
    """Do the work; raises ClientLeft when the client leaves first."""
    working = asyncio.current_task()
    assert working is not None
    connection.watch(working.cancel)
    try:
        await work
    except asyncio.CancelledError:
        if connection.is_lost and not working.uncancel():
            raise ClientLeft from None
        raise
    finally:
        connection.watch(None)


def head(status: int, headers: Any) -> Message:
    """The message that starts an answer."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": raw}


async def respond(send: Send, status: int, headers: Any, body: bytes) -> None:
    await send(head(status, [*headers, ("content-length", str(len(body)))]))
    await send({"type": "http.response.body", "body": body})
