"""uvicorn on a socket that is already bound. It prints nothing, and its caller stops it."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from ...upgrade import WithoutUpgrade

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE_S = 1
"""Seconds. When the server stops, open requests get so long to end, and then it cuts them."""

ACCEPTED_AT_ONCE = 16
"""libuv accepts one connection per listening socket and turn of its loop; on a busy server a turn can take 40 ms."""

_logger = logging.getLogger("uvicorn.error")
_EXPECTED = {
    # An application makes uvicorn break a connection so. The reason is already in the log.
    "ASGI callable returned without completing response.",
    "ASGI callable returned without starting response.",
    # Requests that are open at the end of GRACE_S.
    "Cancel %s running task(s), timeout graceful shutdown exceeded",
}


class Listener(uvicorn.Server):
    """Serves `app` on `sock` until `stop()`, or, with `obey_signals`, until SIGINT or SIGTERM.

    `on_started` is called once connections are accepted. Warnings and worse go to the logger `uvicorn.error`.
    """

    def __init__(
        self,
        app: ASGIApp,
        sock: socket.socket,
        *,
        grace_s: int = GRACE_S,
        obey_signals: bool = False,
        on_started: Callable[[], None] = lambda: None,
        http: type["Protocol"] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                _ending_quietly(app),
                http=http or Protocol,
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=grace_s,
                **settings,
            )
        )
        # asyncio sets this only for sockets that name their protocol, and a bound `socket.socket()` names none. Without
        # it an answer of two writes waits 40 ms for the client's delayed acknowledgement. Connections inherit it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._obey_signals = obey_signals
        self._on_started = on_started
        self._stopped = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        _logger.addFilter(_is_news)
        try:
            await super().serve([self._sock, *(self._sock.dup() for _ in range(ACCEPTED_AT_ONCE - 1))])
        finally:
            self._stopped.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def stop(self) -> None:
        """Ends `serve()`, which runs in another task, and waits for its end."""
        self.should_exit = True
        await self._stopped.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own version raises the signal again at the end, so that a stopped process exits with a failure."""
        obey = self._obey_signals and threading.current_thread() is threading.main_thread()
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS if obey}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Protocol(WithoutUpgrade):
    """uvicorn's own protocol tells only the newest request that the client has gone. An older request, still being
    answered while the newest waits, would go on for nobody and then write to a closed connection."""

    answering: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.answering = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.answering:
            self.answering.disconnected = True
            self.answering.message_event.set()


def _ending_quietly(app: ASGIApp) -> ASGIApp:
    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        # Only uvicorn cancels, when the server has stopped. It would log a traceback for each request that it cuts.
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return run


def _is_news(record: logging.LogRecord) -> bool:
    return record.msg not in _EXPECTED
