"""The backend on the public API: `app.get_functions()`, with the extension's own web app behind the handlers.

In the worker that web app, FastAPI, stands in front of them. It passes a Response on as it is, so here one goes to the
client at once; whatever else a handler returns or raises becomes the answer that FastAPI makes of it.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .app import MODULE, App, refusing
from .function import HttpFunction, Invocation, http_functions
from .signature import check_signature

OUTCOME = "azure_functions.outcome"
"""In a scope: what the handler has returned or raised."""

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
        self._web_app = _web_app(app)
        self._methods = {method for route in self._web_app.routes for method in getattr(route, "methods", ())}

    async def invoke(self, invocation: Invocation, scope: Scope, receive: Receive, send: Send) -> None:
        """An error before the answer is the web app's 500; one in mid-answer leaves it without its last piece."""
        scope["app"], scope["path_params"] = self._web_app, dict(invocation.route_parameters)
        outcome = None
        try:
            if scope["method"] in self._methods:
                outcome = await self._call(invocation, self._app.request_type(scope, receive, send))
            if isinstance(outcome, Response):
                return await outcome(scope, receive, send)
        except Exception as error:
            outcome = error
        try:
            await self._web_app({**scope, OUTCOME: outcome}, receive, send)
        except Exception:
            logger.exception("function %s failed", invocation.function.name)

    async def _call(self, invocation: Invocation, request: Any) -> Any:
        function = invocation.function
        arguments = {function.request_parameter: request}
        if function.name in self._take_context:
            arguments.setdefault("context", self._context(invocation))
        if function.name in self._awaited:
            return await self._handlers[function.name](**arguments)
        return await asyncio.to_thread(self._handlers[function.name], **arguments)

    def _context(self, invocation: Invocation) -> SimpleNamespace:
        """What `azure.functions.Context` has; the traces and retries that a host may start are not started here."""
        return SimpleNamespace(
            invocation_id=invocation.id,
            function_name=invocation.function.name,
            function_directory=str(self._app.folder),
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )


def _web_app(app: App) -> Any:
    async def catch_all(request):  # type: ignore[no-untyped-def]
        outcome = request.scope[OUTCOME]
        if outcome is None:
            raise ValueError("the handler returned None")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    # Set here because the type is known at run time only: the extension registers it.
    catch_all.__annotations__ = {"request": app.request_type}
    web_app = app.extension.WebApp()
    web_app.route(catch_all)
    return web_app.get_app()
