"""The backend on the public API: `app.get_functions()`, with the extension's own web app in front of the handlers.

The web app is the one the worker would serve, so what a handler returns becomes the same answer.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from .app import MODULE, App, refusing
from .function import HttpFunction, Invocation, http_functions
from .signature import check_signature

SCOPE_KEY = "azure_functions.invocation"

Handler = Callable[..., Any]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def public_backend(app: App) -> AsyncIterator["PublicBackend"]:
    """The functions of `app`, run in this process. Raises AppError when the worker would not load them."""
    with refusing(app.folder / f"{MODULE}.py"):
        declared = {str(function.get_function_name()): function for function in app.register.get_functions()}
        functions = http_functions((name, name, function.get_raw_bindings()) for name, function in declared.items())
        handlers = {function.name: declared[function.name].get_user_function() for function in functions}
        for function in functions:
            check_signature(function, handlers[function.name])
    yield PublicBackend(app, functions, handlers)


class PublicBackend:
    """Calls each handler with the extension's request; a `def` handler in a thread."""

    def __init__(self, app: App, functions: list[HttpFunction], handlers: Mapping[str, Handler]) -> None:
        self.functions = functions
        self._app = app
        self._handlers = handlers
        self._take_context = {
            name for name, handler in handlers.items() if "context" in inspect.signature(handler).parameters
        }
        self._awaited = {name for name, handler in handlers.items() if inspect.iscoroutinefunction(handler)}
        self._web_app = _web_app(app, self._call)

    async def invoke(self, invocation: Invocation, scope: Scope, receive: Receive, send: Send) -> None:
        """An error before the answer is the web app's 500; one in mid-answer leaves it without its last piece."""
        try:
            await self._web_app({**scope, SCOPE_KEY: invocation}, receive, send)
        except Exception:
            logger.exception("function %s failed", invocation.function.name)

    async def _call(self, request: Any) -> Any:
        invocation: Invocation = request.scope[SCOPE_KEY]
        request.path_params.clear()
        request.path_params.update(invocation.route_parameters)
        handler = self._handlers[invocation.function.name]
        arguments = {invocation.function.request_parameter: request}
        if invocation.function.name in self._take_context:
            arguments.setdefault("context", self._context(invocation))
        if invocation.function.name in self._awaited:
            answer = await handler(**arguments)
        else:
            answer = await asyncio.to_thread(handler, **arguments)
        if answer is None:
            raise ValueError("the handler returned None")
        return answer

    def _context(self, invocation: Invocation) -> SimpleNamespace:
        """What `azure.functions.Context` has; the traces and retries that a host may start are not started here."""
        return SimpleNamespace(
            invocation_id=invocation.id,
            function_name=invocation.function.name,
            function_directory=str(self._app.folder),
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )


def _web_app(app: App, call: Callable[[Any], Awaitable[Any]]) -> ASGIApp:
    async def catch_all(request):  # type: ignore[no-untyped-def]
        return await call(request)

    # Set here because the type is known at run time only: the extension registers it.
    catch_all.__annotations__ = {"request": app.request_type}
    web_app = app.extension.WebApp()
    web_app.route(catch_all)
    asgi: ASGIApp = web_app.get_app()
    return asgi
