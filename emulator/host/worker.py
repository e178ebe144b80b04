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
    calls: set[asyncio.Task[Any]] = set()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        try:
            with _server_of(app, sock, listeners):
                functions = await _load(library, app)
            yield WorkerBackend(library, functions, sock.getsockname()[1], calls)
        finally:
            for listener in listeners:
                await listener.stop()
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)


class WorkerBackend:
    """Announces each call to the library and forwards its HTTP request to the library's server."""

    def __init__(self, library: Any, functions: list[HttpFunction], port: int, calls: set[asyncio.Task[Any]]) -> None:
        self.functions = functions
        self._library = library
        self._port = port
        self._calls = calls

    async def invoke(self, invocation: Invocation, scope: Scope, receive: Receive, send: Send) -> None:
        """The call goes on when the client has left: the worker never cancels a handler."""
        call = asyncio.ensure_future(self._library.invocation_request(invocation_request(invocation)))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        await forward(self._port, scope, receive, send)


async def _load(library: Any, app: App) -> list[HttpFunction]:
    with refusing(app.folder / f"{MODULE}.py"):
        started = await library.worker_init_request(init_request(str(app.folder)))
        if started.result.status != PROTOS.StatusResult.Success:
            raise AppError(started.result.exception.message)
        answer = await library.functions_metadata_request(metadata_request())
        found = answer.function_metadata_results or []
        return http_functions((function.name, function.function_id, function.raw_bindings) for function in found)


@contextmanager
def _server_of(app: App, sock: socket.socket, listeners: list[Listener]) -> Iterator[None]:
    """Makes the library start a Listener on `sock` where it would start the extension's own server.

    The extension's picks a port by closing it again, which leaves it to the next process that asks, takes the process's
    signals over, and writes a line for every request to standard output.
    """

    def web_server(_host: str, _port: int, web_app: Any) -> Listener:
        listeners.append(Listener(_tidying(web_app.get_app()), sock, grace_s=0, date_header=False))
        return listeners[-1]

    original = app.extension.WebServer
    app.extension.WebServer = web_server
    try:
        yield
    finally:
        app.extension.WebServer = original


def _tidying(web_app: ASGIApp) -> ASGIApp:
    """The library's web app, and the tidying that it leaves undone when a request is over."""
    waiting = importlib.import_module("azure_functions_runtime.http_v2").http_coordinator._context_references

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await web_app(scope, receive, send)
        finally:
            # The library keeps one entry for each request it has ever served.
            waiting.pop(dict(scope["headers"])[INVOCATION_HEADER].decode(), None)

    return run
