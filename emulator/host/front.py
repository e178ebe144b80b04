"""The front of the host: what happens to a request before and after its function."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from starlette.types import Message, Receive, Scope, Send

from ..connection import EXTENSION
from .app import AppError
from .cors import Cors
from .http import kestrel, yarp
from .http.exchange import ACTIVITY_TIMEOUT_S, BodyTooLarge, BodyTooSlow, Exchange, Silence, read_whole
from .http.fields import Fields, Headers
from .http.path import forwarded_path, request_path
from .key import Keys
from .routing.function import HttpFunction, Invocation, fresh_id
from .routing.route import Router
from .unanswered import GIVEN_UP, Unanswered

WELCOME = b"<!doctype html><title>Azure Functions</title><p>The local Functions host is up and running.</p>\n"

CLOSE = (b"connection", b"close")
NO_ORIGIN = Cors()

logger = logging.getLogger(__name__)


class Backend(Protocol):
    """Runs the functions: Microsoft's worker library, or a substitute that behaves like it.

    A call has two halves, an invocation and an HTTP request. `waits_for_ever` tells whether an invocation stays open
    when its HTTP request never comes. `takes_websockets` tells whether the worker's server answers WebSocket upgrades
    itself.
    """

    @property
    def functions(self) -> Sequence[HttpFunction]: ...

    @property
    def waits_for_ever(self) -> bool: ...

    @property
    def takes_websockets(self) -> bool: ...

    async def invoke(self, invocation: Invocation, scope: Scope, exchange: Exchange) -> str | None:
        """Sends both halves. Relays the request to the function and the answer to the caller, piece by piece.

        When the function fails in mid-answer, this returns without the last piece, or raises. When it raises before the
        answer, the caller gets a 500. Returns a reason when the HTTP half did not reach the function and the invocation
        stays open."""

    async def announce(self, invocation: Invocation) -> None:
        """Sends the invocation alone. Returns when the worker gives up."""


class FunctionsHost:
    """ASGI application: routes, keys and limits of the Functions host, in front of a backend.

    It answers 404 to an unknown route or method and 401 to a wrong key, without a body and without a function call.
    Raises AppError when a route template can't be read.
    """

    def __init__(
        self,
        backend: Backend,
        routes_below: str,
        keys: Mapping[str, str],
        unanswered: Unanswered | None = None,
        cors: Cors = NO_ORIGIN,
    ) -> None:
        self._backend = backend
        self._router = Router(routes_below, backend.functions)
        self._keys, self._cors = Keys(keys), cors
        self._body_limit = kestrel.body_limit()
        self._unanswered = unanswered or Unanswered()
        self._first_wait: asyncio.Task[None] | None = None
        self._silence = Silence()

    @property
    def routes(self) -> list[str]:
        """The route templates with their prefix, each once, as the app declares them."""
        return self._router.templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = Fields(scope["headers"])
        path = request_path(scope["raw_path"].decode("latin-1"))
        if refused := kestrel.refusal(scope, fields) or (HTTPStatus.BAD_REQUEST if path is None else None):
            return await _answer(send, refused, CLOSE)
        assert path is not None
        named = fields.last
        if b"origin" in named:
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in named:
                return await _answer(send, HTTPStatus.NO_CONTENT, *self._cors.preflight(named))
            send = _with(self._cors.headers(named), send)
        try:
            match = self._router.find(scope["method"], path)
        except AppError as error:
            logger.error("%s", error)
            return await _answer(send, HTTPStatus.INTERNAL_SERVER_ERROR)
        if match is None:
            if path == "/":
                return await _answer(send, HTTPStatus.OK, (b"content-type", b"text/html"), body=WELCOME)
            return await _answer(send, HTTPStatus.NOT_FOUND)
        function, parameters = match
        if not self._keys.admit(function.auth_level, fields.first, scope["query_string"]):
            return await _answer(send, HTTPStatus.UNAUTHORIZED)
        length = named.get(b"content-length", b"0")
        try:
            if not length.isdigit() or int(length) > self._body_limit:
                raise BodyTooLarge
            pieces = (
                deque[bytes]()
                if int(length) == 0
                else await read_whole(receive, self._body_limit, scope["extensions"][EXTENSION].is_whole)
            )
        except (BodyTooLarge, BodyTooSlow):
            return await _answer(send, HTTPStatus.INTERNAL_SERVER_ERROR, CLOSE)
        if pieces is not None:
            invocation = Invocation(fresh_id(), function, parameters)
            await self._call(invocation, path, fields, pieces, scope, receive, send)
        return None

    async def _call(
        self,
        invocation: Invocation,
        path: str,
        fields: Fields,
        pieces: deque[bytes],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        method = yarp.method_of(scope["method"])
        name = invocation.function.name
        if reason := self._lost_on_the_way(method, fields):
            return await self._without_an_answer(invocation, reason, send)
        if reason := yarp.refused_by_the_worker(method, fields):
            self._leave_open(invocation, reason)
            return await _answer(
                send, HTTPStatus.BAD_REQUEST, CLOSE, *yarp.IN_WORDS_OF_UVICORN, body=yarp.REFUSED_BY_UVICORN
            )
        client, (_, port) = (scope["client"] or ("",))[0], scope["server"]
        address = b"127.0.0.1:%d" % port
        scope = {
            **scope,
            "method": method,
            "raw_path": forwarded_path(path),
            "path": path,
            "query_string": yarp.forwarded_query(scope["query_string"]),
            "headers": yarp.request_headers(method, fields, invocation.id, client, scope["scheme"], address),
        }
        connection = scope["extensions"][EXTENSION]
        exchange = Exchange(receive, send, connection, pieces, self._body_limit, self._silence)
        try:
            with exchange:
                if reason := await self._backend.invoke(invocation, scope, exchange):
                    self._leave_open(invocation, reason)
        except TimeoutError:
            logger.info("function %s was silent for too long", name)
        except Exception:
            if not exchange.answered:
                logger.exception("function %s could not be called", name)
        if not exchange.answered:
            if exchange.refused:
                await exchange.drain()
            body = exchange.failure.body if exchange.failure else b""
            named = yarp.IN_WORDS_OF_UVICORN if body else ()
            await _answer(send, HTTPStatus.INTERNAL_SERVER_ERROR, *named, body=body)
        elif not exchange.ended:
            await connection.reset_when_sent()  # Kestrel breaks an answer off so
        return None

    def _leave_open(self, invocation: Invocation, reason: str) -> None:
        """The worker waits for a request that does not come. When the app limits this wait, one call is enough to check
        that the limit works."""
        if self._backend.waits_for_ever:
            self._unanswered.stays(invocation.function.name, reason)
        elif self._first_wait is None:
            self._first_wait = asyncio.create_task(self._until_given_up(invocation, reason))

    async def _until_given_up(self, invocation: Invocation, reason: str) -> None:
        try:
            async with asyncio.timeout(ACTIVITY_TIMEOUT_S):
                await self._backend.announce(invocation)
        except TimeoutError:
            self._unanswered.stays(invocation.function.name, reason)

    async def stop(self) -> None:
        """Cancels the call that still waits in the worker."""
        self._silence.stop()
        if self._first_wait:
            self._first_wait.cancel()
            await asyncio.gather(self._first_wait, return_exceptions=True)

    def _lost_on_the_way(self, method: str, fields: Fields) -> str | None:
        if yarp.is_websocket(fields) and self._backend.takes_websockets:
            return "it asks for a WebSocket"
        return yarp.lost_on_the_way(method, fields)

    async def _without_an_answer(self, invocation: Invocation, reason: str, send: Send) -> None:
        """Azure would never answer. This host answers at once and gives the reason."""
        if self._backend.waits_for_ever:
            told = self._unanswered.never(invocation.function.name, reason)
        else:
            told = GIVEN_UP.format(reason)
            self._leave_open(invocation, reason)
        await _answer(send, HTTPStatus.INTERNAL_SERVER_ERROR, CLOSE, body=told.encode())


def _with(more: Headers, send: Send) -> Send:
    """`send`, which adds these headers to an answer."""

    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return send_with if more else send


async def _answer(send: Send, status: HTTPStatus, *headers: tuple[bytes, bytes], body: bytes = b"") -> None:
    """The host's own answers have no body. The welcome page is the exception."""
    length = [] if status == HTTPStatus.NO_CONTENT else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": body})
