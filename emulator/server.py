"""An ASGI application on a port, in a thread of its own. The port is on loopback unless somebody asks for more."""

import asyncio
import ipaddress
import socket
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from .connection import Protocol
from .failure import Failure
from .option import LOOPBACK as LOOPBACK

KEEP_ALIVE_SECONDS = 75  # longer than any client's, so that no client meets a connection being closed
BACKLOG = 2_048  # a class that starts at once


class PortError(Failure):
    """The port is not available. The message says what to do."""


def bind(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket. Port 0 means any free port. `host` is an address of this machine, or 0.0.0.0 or :: for all of
    them. Raises PortError."""
    sock = None
    try:
        family, kind, _, _, (address, _, *rest) = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        # asyncio switches Nagle's algorithm off (44 ms an answer) only where the protocol is named.
        sock = socket.socket(family, kind, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port, *rest))
        sock.listen(BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        if sock:
            sock.close()
        refused = f"Port {port} on {host} cannot be used ({error})."
        raise PortError(f"{refused} Choose another, or 0 for a free one.") from error
    return sock


def url_of(sock: socket.socket) -> str:
    """The URL under which this machine reaches the server."""
    address, port = _address(sock), sock.getsockname()[1]
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if address.version == 6 else LOOPBACK)
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"


def is_open(sock: socket.socket) -> bool:
    """Whether other machines can reach the server."""
    return not _address(sock).is_loopback


def warn_if_open(sock: socket.socket, what: str) -> None:
    if is_open(sock):
        address, port = sock.getsockname()[:2]
        print(f"warning: open to other machines on {address}, port {port}: {what}.", file=sys.stderr)


def _address(sock: socket.socket) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(sock.getsockname()[0])


class Server(uvicorn.Server):
    """uvicorn that ends at once when told. uvicorn itself looks ten times a second, and then waits 0.1 s even when no
    connection is open. (The host keeps uvicorn's way, because its app has work to do after an answer.)"""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Ends the server. Any thread may call this, more than once."""
        self.should_exit = True
        if self._loop:
            with suppress(RuntimeError):  # the server has ended, and its loop is closed
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # this also writes the date, once a second
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()


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
    server = Server(config)
    thread = threading.Thread(target=lambda: run(server.serve(sockets=[sock])), daemon=True)
    thread.start()
    try:
        yield url_of(sock)
    finally:
        server.end()
        thread.join(timeout=5)
        sock.close()
