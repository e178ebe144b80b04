"""The front of the host: what happens to a request before and after its function."""

import asyncio
import logging
import os
import uuid
from collections.abc import Collection, Container, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from starlette.types import Message, Receive, Scope, Send

from .function import HttpFunction, Invocation
from .key import Keys
from .route import Router

ACTIVITY_TIMEOUT_S = 240.0
"""Seconds without a byte in either direction after which the Functions host gives up (its source: ActivityTimeout)."""

BODY_LIMIT_BYTES = 104_857_600
"""The Functions host's default; the app setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it."""

INVOCATION_HEADER = b"x-ms-invocation-id"

# They concern one connection, and there is one on either side of the host (RFC 9110, section 7.6.1).
# `expect` is answered by the front's server.
REQUEST_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"expect", INVOCATION_HEADER}
RESPONSE_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}

CLOSE = (b"connection", b"close")

Headers = Collection[tuple[bytes, bytes]]

logger = logging.getLogger(__name__)


class Backend(Protocol):
    """What runs the functions."""

    @property
    def functions(self) -> Sequence[HttpFunction]: ...

    async def invoke(self, invocation: Invocation, scope: Scope, receive: Receive, send: Send) -> None:
        """Relays the request to the function and its answer to `send`, piece by piece.

        When the function fails in mid-answer it ends without the last piece, or raises. Whatever it raises before the
        answer is a 502 to the client.
        """


class FunctionsHost:
    """ASGI application: routes, keys and limits of the Functions host, in front of a backend.

    An unknown route or method is a 404 and a wrong key a 401, both without a body and before the function is called.
    Raises AppError when a route template can't be read.
    """

    def __init__(self, backend: Backend, routes_below: str, keys: Mapping[str, str]) -> None:
        self._backend = backend
        self._router = Router(routes_below, backend.functions)
        self._keys = Keys(keys)
        self._body_limit = int(os.environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", BODY_LIMIT_BYTES))

    @property
    def routes(self) -> list[str]:
        """The route templates with their prefix, each once, as declared."""
        return self._router.templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_sound(scope["headers"]):
            return await _answer(send, HTTPStatus.BAD_REQUEST, CLOSE)
        match = self._router.find(scope["method"], scope["raw_path"].decode("latin-1"))
        if match is None:
            return await _answer(send, HTTPStatus.NOT_FOUND)
        function, parameters = match
        headers: Headers = scope["headers"]
        if not self._keys.admit(function.auth_level, headers, scope["query_string"]):
            return await _answer(send, HTTPStatus.UNAUTHORIZED)
        if int(dict(headers).get(b"content-length", 0)) > self._body_limit:
            return await _answer(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        await self._invoke(Invocation(str(uuid.uuid4()), function, parameters), scope, receive, send)
        return None

    async def _invoke(self, invocation: Invocation, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [*_without(REQUEST_HOP, scope["headers"]), (INVOCATION_HEADER, invocation.id.encode())]
        exchange = Exchange(receive, send, self._body_limit)
        status = HTTPStatus.BAD_GATEWAY
        try:
            with exchange:
                await self._backend.invoke(invocation, scope, exchange.receive, exchange.send)
        except TimeoutError:
            status = HTTPStatus.GATEWAY_TIMEOUT
        except Exception:
            if not exchange.answered:
                logger.exception("function %s could not be called", invocation.function.name)
        if exchange.too_large:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        # An answer that began and did not end stays so: the server then closes the connection, and the client notices.
        if not exchange.answered:
            await _answer(send, status)


class Exchange:
    """A request's body and its answer on their way between the server and a backend.

    Ends a body that is too large like a client that went away, and keeps the answer's connection headers back. As a
    context manager it cancels the block, and raises TimeoutError, when nothing has moved for ACTIVITY_TIMEOUT_S.
    """

    __slots__ = (  # 1,000 streams have one each
        *("_receive", "_send", "_bytes_left", "_loop", "_task", "_timer", "_moved_at", "_expired"),
        "answered",
    )

    def __init__(self, receive: Receive, send: Send, body_limit: int) -> None:
        self._receive, self._send, self._bytes_left = receive, send, body_limit
        self.answered = False
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._moved_at = self._loop.time()
        self._expired = False

    def __enter__(self) -> None:
        self._look()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._timer.cancel()
        if self._expired and self._task and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TimeoutError

    def _look(self) -> None:
        """A piece only notes its time, and the timer looks later: to put the timer off each time would cost more."""
        due = self._moved_at + ACTIVITY_TIMEOUT_S
        if due > self._loop.time():
            self._timer = self._loop.call_at(due, self._look)
        elif self._task:
            self._expired = self._task.cancel()

    @property
    def too_large(self) -> bool:
        return self._bytes_left < 0

    async def receive(self) -> Message:
        if self.too_large:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._progress()
        self._bytes_left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.too_large else message

    async def send(self, message: Message) -> None:
        if self.too_large and not self.answered:
            return
        self._progress()
        if message["type"] == "http.response.start":
            self.answered = True
            message = {**message, "headers": _without(RESPONSE_HOP, message["headers"])}
        await self._send(message)

    def _progress(self) -> None:
        self._moved_at = self._loop.time()


def _is_sound(headers: Headers) -> bool:
    """Whether there is one host (RFC 9112, section 3.2), and a body that ends where every server sees its end (section
    6.3). uvicorn takes what follows a head that asks for an upgrade for another protocol, and drops it."""
    names = [name for name, _ in headers]
    coded = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    has_body = coded or any(name == b"content-length" and value != b"0" for name, value in headers)
    return names.count(b"host") == 1 and coded in ([], [b"chunked"]) and not (has_body and b"upgrade" in names)


def _without(names: Container[bytes], headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in names]


async def _answer(send: Send, status: HTTPStatus, *headers: tuple[bytes, bytes]) -> None:
    """The host's own answers have no body."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *headers]})
    await send({"type": "http.response.body"})
