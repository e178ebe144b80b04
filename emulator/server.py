"""An ASGI application on a loopback port, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from .connection import Protocol

LOOPBACK = "127.0.0.1"
KEEP_ALIVE_SECONDS = 75  # longer than any client's, so that no client meets a connection being closed
BACKLOG = 2_048  # a class that starts at once


class PortError(Exception):
    """A port that cannot be had; the message says what to do."""


def bind(port: int) -> socket.socket:
    """A listening socket on loopback; 0 is any free port. Raises PortError."""
    # asyncio switches Nagle's algorithm off (44 ms an answer) only where the protocol is named.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((LOOPBACK, port))
        sock.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        sock.close()
        raise PortError(
            f"Port {port} on {LOOPBACK} cannot be used ({error}). Choose another, or 0 for a free one."
        ) from error
    return sock


def url_of(sock: socket.socket) -> str:
    return f"http://{LOOPBACK}:{sock.getsockname()[1]}"


def run(main: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run`, on uvloop where it is installed."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(main)


@contextmanager
def serving(app: Any, sock: socket.socket) -> Iterator[str]:
    """Serve while the context lasts; gives the base URL once connections are accepted."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: run(server.serve(sockets=[sock])), daemon=True)
    thread.start()
    try:
        yield url_of(sock)
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        sock.close()
