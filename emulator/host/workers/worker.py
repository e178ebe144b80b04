"""The backend on Microsoft's worker library, `azure-functions-runtime` (Python 3.13 or later).

The library imports the app, checks it, and serves HTTP. A call takes two messages with one invocation id, sent at the
same time: an invocation request, which makes the library call the handler, and the HTTP request, which it hands over.
"""

import asyncio
import importlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import h11
from starlette.types import Scope

from ..app import MODULE, NONE_IN_AZURE, App, AppError, refusing
from ..http.exchange import Exchange
from ..http.listener import Listener
from ..routing.definition import http_functions
from ..routing.function import HttpFunction, Invocation
from .coordinator import Halves
from .forward import forward
from .message import PROTOS, init_request, invocation_request, metadata_request
from .web_server import keeps_websockets

logger = logging.getLogger(__name__)

LIBRARY = "azure_functions_runtime"


@contextmanager
def library_halves() -> Iterator[Halves]:
    """Loads the library, as the worker does before it imports an app."""
    yield Halves(importlib.import_module(f"{LIBRARY}.http_v2").http_coordinator)


@asynccontextmanager
async def worker_backend(app: App, halves: Halves) -> AsyncIterator["WorkerBackend"]:
    """The functions of `app` in the worker library, whose HTTP server runs until the block ends.

    Raises AppError, in the library's words, when the library does not load them.
    """
    library = importlib.import_module(LIBRARY)
    library.start_threadpool_executor()
    listeners: list[Listener] = []
    open_calls: set[asyncio.Task[Any]] = set()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        try:
            with _server_of(app, sock, listeners):
                functions = await _load(library, app)
            takes_websockets = await keeps_websockets(app.extension, app.extension.WebApp())
            yield WorkerBackend(library, halves, functions, sock.getsockname()[1], takes_websockets, open_calls)
        finally:
            for listener in listeners:
                await listener.stop()
            for call in open_calls:
                call.cancel()
            await asyncio.gather(*open_calls, return_exceptions=True)


class WorkerBackend:
    """Announces each call to the library and forwards its HTTP request to the library's server."""

    def __init__(
        self,
        library: Any,
        halves: Halves,
        functions: list[HttpFunction],
        port: int,
        takes_websockets: bool,
        open_calls: set[asyncio.Task[Any]],
    ) -> None:
        self.functions, self.takes_websockets = functions, takes_websockets
        self._library, self._halves, self._port, self._open_calls = library, halves, port, open_calls

    @property
    def waits_for_ever(self) -> bool:
        return self._halves.waits_for_ever

    async def invoke(self, invocation: Invocation, scope: Scope, exchange: Exchange) -> str | None:
        """The call goes on after the client has left, because the worker never cancels a handler."""
        call = self._begin(invocation)
        try:
            await forward(self._port, scope, exchange.receive, exchange.send)
        except (OSError, h11.RemoteProtocolError) as error:
            logger.info("function %s: %s", invocation.function.name, error)
        return None if call.done() or self._halves.have_met(invocation.id) else "its request did not reach the function"

    async def announce(self, invocation: Invocation) -> None:
        await asyncio.shield(self._begin(invocation))

    def _begin(self, invocation: Invocation) -> "asyncio.Task[Any]":
        call: asyncio.Task[Any] = asyncio.ensure_future(
            self._library.invocation_request(invocation_request(invocation))
        )
        self._open_calls.add(call)
        call.add_done_callback(self._open_calls.discard)
        return call


async def _load(library: Any, app: App) -> list[HttpFunction]:
    with refusing(app.folder / f"{MODULE}.py"):
        started = await library.worker_init_request(init_request(str(app.folder)))
        if started.result.status != PROTOS.StatusResult.Success:
            raise AppError(f"{started.result.exception.message}; {NONE_IN_AZURE}")
        answer = await library.functions_metadata_request(metadata_request())
        found = answer.function_metadata_results or []
        return http_functions((function.name, function.function_id, function.raw_bindings) for function in found)


@contextmanager
def _server_of(app: App, sock: socket.socket, listeners: list[Listener]) -> Iterator[None]:
    """Makes the library start a Listener on `sock` where it would start the extension's own server.

    The extension's server finds a free port and closes it again, so that another process can take the port. It also
    takes over the process's signals, and writes a line for each request to standard output.
    """

    def web_server(_host: str, _port: int, web_app: Any) -> Listener:
        listeners.append(Listener(web_app.get_app(), sock, grace_s=0, date_header=False))
        return listeners[-1]

    original = app.extension.WebServer
    app.extension.WebServer = web_server
    try:
        yield
    finally:
        app.extension.WebServer = original
