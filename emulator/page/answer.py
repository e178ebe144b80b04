"""An answer of the control API: JSON, text to copy, or bytes to keep; never anything that a browser would run."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from ..azure.asgi import Send, head, respond
from ..connection import Connection

Headers = tuple[tuple[str, str], ...]

GUARDED: Headers = (  # OWASP HTTP Headers Cheat Sheet, REST Security Cheat Sheet
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
)
NOT_MODIFIED = 304


class Delivered(Protocol):
    """An answer that sends itself: an Answer, or a Feed, which lasts."""

    async def deliver(self, send: Send, connection: Connection) -> None: ...


@dataclass(frozen=True)
class Answer:
    """`headers` leave out `guards` and the length: the answer gets them when it is sent."""

    body: bytes
    headers: Headers
    status: int = 200
    guards: Headers = GUARDED

    async def deliver(self, send: Send, _: Connection) -> None:
        headers = (*self.headers, *self.guards)
        if self.status == NOT_MODIFIED:  # a content-length would mean the file's (RFC 9110, section 8.6)
            await send(head(self.status, headers))
            await send({"type": "http.response.body", "body": b""})
        else:
            await respond(send, self.status, headers, self.body)


def answer_of(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """JSON in ASCII, which half a surrogate pair survives."""
    return Answer(json.dumps(value).encode(), (("content-type", "application/json"), *headers), status)


def text(shown: str) -> Answer:
    return Answer(shown.encode(errors="backslashreplace"), (("content-type", "text/plain; charset=utf-8"),))


def attachment(content: bytes, name: str) -> Answer:
    """Bytes that a browser saves and does not show, as they may be HTML. The emulator chooses `name`."""
    disposition = ("content-disposition", f'attachment; filename="{name}"')
    return Answer(content, (("content-type", "application/octet-stream"), disposition))
