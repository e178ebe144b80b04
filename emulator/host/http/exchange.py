"""One request and its answer on their way between the host's server and a backend."""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic

from starlette.types import Message, Receive, Send

from ...connection import Connection
from .fields import Headers
from .kestrel import BODY_GRACE_S, slowest_end
from .yarp import WORKERS_SERVER, Unforwardable, response_headers

ACTIVITY_TIMEOUT_S = 240.0
"""Seconds. The Functions host gives up when no byte moves in either direction for so long (its ActivityTimeout)."""


class BodyTooLarge(Exception):
    pass


class BodyTooSlow(Exception):
    pass


async def read_whole(receive: Receive, limit: int, is_here: bool) -> deque[bytes] | None:
    """Reads the body in pieces. Returns None when the caller left. Raises BodyTooLarge and BodyTooSlow.

    The host reads a body with a Content-Length to its end before it calls the function (its source:
    HttpTriggerAttributeBindingProvider). `is_here` means that the whole body has arrived, so nothing can be slow."""
    pieces: deque[bytes] = deque()
    size, began, more = 0, asyncio.get_running_loop().time(), True
    while more:
        message = await (receive() if is_here else in_time(receive, slowest_end(began, size)))
        if message["type"] == "http.disconnect":
            return None
        body, more = message.get("body", b""), message.get("more_body", False)
        size += len(body)
        pieces.append(body)
        if size > limit:
            raise BodyTooLarge
    return pieces


async def in_time(receive: Receive, end: float) -> Message:
    """Raises BodyTooSlow."""
    try:
        async with asyncio.timeout_at(end):
            return await receive()
    except TimeoutError:
        raise BodyTooSlow from None


class Silence:
    """Notices the open exchanges in which nothing has moved for ACTIVITY_TIMEOUT_S. One timer serves them all: it is
    due for the one that has been silent longest, and no other can be due before it."""

    def __init__(self) -> None:
        self.open: set[Exchange] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, exchange: "Exchange") -> None:
        self.open.add(exchange)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(ACTIVITY_TIMEOUT_S, self._look)

    def _look(self) -> None:
        self._timer, now = None, monotonic()
        for exchange in [one for one in self.open if one.moved_at + ACTIVITY_TIMEOUT_S <= now]:
            self.open.discard(exchange)
            exchange.expire()
        if self.open:
            due = min(exchange.moved_at for exchange in self.open) + ACTIVITY_TIMEOUT_S
            self._timer = asyncio.get_running_loop().call_later(due - now, self._look)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()


class Exchange:
    """Hands over the body that was read before (`pieces`), or at most `limit` bytes of the body that comes now. Holds
    the head of an answer back until the answer's first byte or its end, as YARP does.

    To the function, a body that is too large or too slow looks like a client that went away. As a context manager the
    exchange cancels the block and raises TimeoutError when nothing has moved for ACTIVITY_TIMEOUT_S.
    """

    __slots__ = (  # 1,000 streams have one each
        *("_receive", "_send", "_connection", "_pieces", "_bytes_left", "_head"),
        *("_silence", "_task", "_expired"),
        *("answered", "begun", "ended", "failure", "moved_at", "refused"),
    )
    _head: Message | None

    def __init__(
        self,
        receive: Receive,
        send: Send,
        connection: Connection,
        pieces: deque[bytes],
        limit: int,
        silence: Silence,
    ) -> None:
        self._receive, self._send, self._connection = receive, send, connection
        self._pieces, self._bytes_left = pieces, limit
        self._head = None
        self.begun = self.answered = self.ended = self.refused = self._expired = False
        self.failure: Unforwardable | None = None
        self._silence, self._task = silence, asyncio.current_task()

    def __enter__(self) -> None:
        self.moved_at = monotonic()
        self._silence.watch(self)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._silence.open.discard(self)
        if self._expired and self._task and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TimeoutError

    def expire(self) -> None:
        if self._task:
            self._expired = self._task.cancel()

    async def receive(self) -> Message:
        if self._pieces:
            return {"type": "http.request", "body": self._pieces.popleft(), "more_body": bool(self._pieces)}
        if self.refused:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self.moved_at = monotonic()
        self._bytes_left -= len(message.get("body", b""))
        self.refused = self._bytes_left < 0
        return {"type": "http.disconnect"} if self.refused else message

    async def send(self, message: Message) -> None:
        self.moved_at = monotonic()
        if message["type"] == "http.response.start":
            self.begun = True
            try:
                self._head = {**message, "headers": self._passed(message["headers"])}
            except Unforwardable as failure:
                self.failure = failure
            return
        if self.failure or self.refused:
            return
        ends = not message.get("more_body")
        if self._head:
            if not message.get("body") and not ends:
                return
            head, self._head, self.answered = self._head, None, True
            self._connection.joins = True
            await self._send(head)
        await self._send(message)
        self.ended = ends

    async def drain(self) -> None:
        """Reads the rest of a body that is too large, because a client does not listen while it sends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BODY_GRACE_S):
                while (await self._receive()).get("more_body"):
                    pass

    def _passed(self, headers: Headers) -> Headers:
        """Raises Unforwardable."""
        return [WORKERS_SERVER, *response_headers(headers)]
