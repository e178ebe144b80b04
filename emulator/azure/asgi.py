"""The part of ASGI that the fake Azure uses."""

import functools
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

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


class Fields(tuple[tuple[str, str], ...]):
    """Headers in order. `first` has the first value of each name."""

    first: dict[str, str]


@functools.lru_cache(1024)  # a client repeats its headers
def headers_of(raw: tuple[tuple[bytes, bytes], ...]) -> Fields:
    headers = Fields((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    headers.first = dict(reversed(headers))
    return headers


@functools.lru_cache(1024)
def target_of(path: bytes, query: bytes) -> str:
    return (path + b"?" + query if query else path).decode("latin-1")


@functools.lru_cache(1024)
def _raw(name: str) -> bytes:
    return name.lower().encode("latin-1")


def head(status: int, headers: Any) -> Message:
    """The message that starts an answer."""
    raw = [(_raw(name), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": raw}


async def respond(send: Send, status: int, headers: Any, body: bytes) -> None:
    await send(head(status, [*headers, ("content-length", str(len(body)))]))
    await send({"type": "http.response.body", "body": body})
