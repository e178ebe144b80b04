"""The backend on Microsoft's worker library, `azure-functions-runtime` (Python 3.13 or later).

The library imports the app, checks it, and serves HTTP. A call takes two messages with one invocation id, sent at the
same time: an invocation request, which makes the library call the handler, and the HTTP request, which it hands over.
"""

import asyncio
import importlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from .app import MODULE, App, AppError, refusing
from .forward import forward
from .front import INVOCATION_HEADER
from .function import HttpFunction, Invocation, http_functions
from .listener import Listener
from .message import PROTOS, init_request, invocation_request, metadata_request


@asynccontextmanager
async def worker_backend(app: App) -> AsyncIterator["WorkerBackend"]:
    """The functions of `app` in the worker library, whose HTTP server runs until the block ends.

    Raises AppError, in the library's words, when it does not load them.
    """
    library = importlib.import_module("azure_functions_runtime")
    library.start_threadpool_executor()
    listeners: list[Listener] = []
    calls = Calls()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        try:
            with _server_of(app, sock, listeners, calls):
                functions = await _load(library, app)
            yield WorkerBackend(library, functions, sock.getsockname()[1], calls)
        finally:
            for listener in listeners:
                await listener.stop()
            open_calls = list(calls.announced.values())
            for call in open_calls:
                call.cancel()
            await asyncio.gather(*open_calls, return_exceptions=True)


class Calls:
    """The calls that the library was told of, by invocation id, and those whose HTTP request has got to it."""

    def __init__(self) -> None:
        self.announced: dict[str, asyncio.Task[Any]] = {}
        self.arrived: set[str] = set()
        coordinator = importlib.import_module("azure_functions_runtime.http_v2").http_coordinator
        self.references: dict[str, Any] = coordinator._context_references  # the library never takes one out itself

    def announce(self, id_: str, call: asyncio.Task[Any]) -> None:
        self.announced[id_] = call
        call.add_done_callback(lambda _: self.announced.pop(id_, None))

    def forwarded(self, id_: str) -> None:
        """The client has its answer, or has gone, maybe before its request got to the library's server."""
        if id_ not in self.arrived:
            self.abandon(id_)
        self.arrived.discard(id_)

    def served(self, id_: str) -> None:
        """The library's server is done with the request, maybe without having handed it over (a 404 of its own)."""
        reference = self.references.pop(id_, None)
        if reference is None or not reference.http_request_available_event.is_set():
            self.abandon(id_)

    def abandon(self, id_: str) -> None:
        """The library would wait for the call's HTTP request for ever."""
        self.references.pop(id_, None)
        if call := self.announced.pop(id_, None):
            call.cancel()


class WorkerBackend:
    """Announces each call to the library and forwards its HTTP request to the library's server."""

    def __init__(self, library: Any, functions: list[HttpFunction], port: int, calls: Calls) -> None:
        self.functions = functions
        self._library = library
        self._port = port
        self._calls = calls

    async def invoke(self, invocation: Invocation, scope: Scope, receive: Receive, send: Send) -> None:
        """The call goes on when the client has left: the worker never cancels a handler."""
        call = asyncio.ensure_future(self._library.invocation_request(invocation_request(invocation)))
        self._calls.announce(invocation.id, call)
        try:
            await forward(self._port, scope, receive, send)
        finally:
            self._calls.forwarded(invocation.id)


async def _load(library: Any, app: App) -> list[HttpFunction]:
    with refusing(app.folder / f"{MODULE}.py"):
        started = await library.worker_init_request(init_request(str(app.folder)))
        if started.result.status != PROTOS.StatusResult.Success:
            raise AppError(started.result.exception.message)
        answer = await library.functions_metadata_request(metadata_request())
        found = answer.function_metadata_results or []
        return http_functions((function.name, function.function_id, function.raw_bindings) for function in found)


@contextmanager
def _server_of(app: App, sock: socket.socket, listeners: list[Listener], calls: Calls) -> Iterator[None]:
    """Makes the library start a Listener on `sock` where it would start the extension's own server.

    The extension's picks a port by closing it again, which leaves it to the next process that asks, takes the process's
    signals over, and writes a line for every request to standard output.
    """

    def web_server(_host: str, _port: int, web_app: Any) -> Listener:
        listeners.append(Listener(_tidying(web_app.get_app(), calls), sock, grace_s=0, date_header=False))
        return listeners[-1]

    original = app.extension.WebServer
    app.extension.WebServer = web_server
    try:
        yield
    finally:
        app.extension.WebServer = original


def _tidying(web_app: ASGIApp, calls: Calls) -> ASGIApp:
    """The library's web app, and the tidying that it leaves undone when a request is over."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        id_ = dict(scope["headers"])[INVOCATION_HEADER].decode()
        if id_ not in calls.announced:
            return  # its client went while it was on its way
        calls.arrived.add(id_)
        try:
            await web_app(scope, receive, send)
        finally:
            calls.served(id_)

    return run
