"""`serve()`: a function app on a socket, until it is stopped."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .app import MODULE, App, AppError, imported, refusing
from .calls import NumberedCalls, Tell
from .cors import Cors
from .front import Backend, FunctionsHost
from .http.listener import Listener
from .http.protocol import KestrelProtocol
from .unanswered import Unanswered
from .workers.coordinator import Halves, offered
from .workers.public import public_backend

BACKEND_VARIABLE = "FUNCTIONS_HOST_BACKEND"

KEEP_ALIVE_S = 75
"""Longer than clients' pools keep an idle connection, so that the client closes it and not the server."""


@dataclass(frozen=True)
class Kind:
    """A kind of backend: one function prepares the import of the app, the other makes the backend that runs it."""

    halves: Callable[[], AbstractContextManager[Halves]]
    start: Callable[[App, Halves], AbstractAsyncContextManager[Backend]]


def _runtime() -> Kind:
    from .workers.worker import library_halves, worker_backend  # loaded only where it is used

    return Kind(library_halves, worker_backend)


BACKENDS: dict[str, Callable[[], Kind]] = {
    "runtime": _runtime,
    "public": lambda: Kind(offered, public_backend),
}


async def serve(
    app_dir: Path,
    keys: Mapping[str, str],
    sock: socket.socket,
    on_ready: Callable[[list[str]], None] | None = None,
    backend: str | None = None,
    unanswered: Unanswered | None = None,
    calls: Tell | None = None,
) -> None:
    """Serves the function app in `app_dir` until SIGINT or SIGTERM, or until cancelled.

    `keys` are the accepted function keys, name → value. `sock` is bound, and is closed at the end. `on_ready` gets the
    route templates once requests are accepted. `backend` is `runtime` (Microsoft's worker library, Python 3.13 or
    later) or `public` (the public API). The default is the environment variable FUNCTIONS_HOST_BACKEND, or else the
    worker library where it is installed. `unanswered` hears of calls that Azure would never answer, and writes them to
    standard error by default. CORS_ALLOWED_ORIGINS lists the sites whose pages may call. Raises AppError, before
    `on_ready`, when the app can't be loaded.
    """
    cors = Cors.from_env(os.environ)
    kind = BACKENDS[_choose(backend or os.environ.get(BACKEND_VARIABLE))]()
    with sock, kind.halves() as halves, imported(app_dir) as app:
        async with kind.start(app, halves) as running:
            with refusing(app.folder / f"{MODULE}.py"):
                host = FunctionsHost(running, app.routes_below, keys, unanswered, cors)
            listener = Listener(
                NumberedCalls(host, calls) if calls else host,
                sock,
                obey_signals=True,
                http=KestrelProtocol,
                on_started=lambda: on_ready(host.routes) if on_ready else None,
                timeout_keep_alive=KEEP_ALIVE_S,
            )
            serving = asyncio.ensure_future(listener.serve())
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                listener.should_exit = True
                await serving
                raise
            finally:
                await host.stop()


def _choose(name: str | None) -> str:
    available = ["public"]
    if sys.version_info >= (3, 13) and find_spec("azure_functions_runtime"):
        available.insert(0, "runtime")
    if name is not None and name not in available:
        raise AppError(f"the backend {name!r} is not available here; available: {', '.join(available)}")
    return name or available[0]
