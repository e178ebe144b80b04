"""The few words of ASGI that the fake Azure speaks."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


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


async def until_client_leaves(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work; raises ClientLeft when the client leaves first."""
    working, left = asyncio.current_task(), False
    watching: asyncio.Task[None] | None = None
    assert working is not None

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = working.cancel()

    def begin() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch())

    beginning = asyncio.get_running_loop().call_soon(begin)  # never for work that does not wait, as most
    try:
        await work
    except asyncio.CancelledError:
        if left and not working.uncancel():
            raise ClientLeft from None
        raise
    finally:
        beginning.cancel()
        if watching:
            watching.cancel()


async def start(send: Send, status: int, headers: Any) -> None:
    raw = [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def respond(send: Send, status: int, headers: Any, body: bytes) -> None:
    await start(send, status, [*headers, ("content-length", str(len(body)))])
    await send({"type": "http.response.body", "body": body})
