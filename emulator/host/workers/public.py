"""The backend on the public API: `app.get_functions()`, with the extension's own web app behind the handlers.

In the worker that web app, FastAPI, stands in front of the handlers. It passes a Response on unchanged, so this backend
sends one to the client at once. FastAPI makes the answer from everything else that a handler returns or raises.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from ..app import MODULE, App, refusing
from ..http.exchange import Exchange
from ..routing.definition import http_functions
from ..routing.function import HttpFunction, Invocation
from .coordinator import Halves
from .signature import check_signature
from .web_server import keeps_websockets

OUTCOME = "azure_functions.outcome"
"""The key in a scope that holds the handler's result or exception."""

Handler = Callable[..., Any]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def public_backend(app: App, halves: Halves) -> AsyncIterator["PublicBackend"]:
    """The functions of `app`, run in this process. Raises AppError when the worker would not load them."""
    with refusing(app.folder / f"{MODULE}.py"):
        declared = {str(function.get_function_name()): function for function in app.register.get_functions()}
        functions = http_functions((name, name, function.get_raw_bindings()) for name, function in declared.items())
        handlers = {function.name: declared[function.name].get_user_function() for function in functions}
        for function in functions:
            check_signature(function, handlers[function.name])
    backend = PublicBackend(app, halves, functions, handlers)
    backend.takes_websockets = await keeps_websockets(app.extension, backend.web_app)
    yield backend


class PublicBackend:
    """Calls each handler with the extension's request; a `def` handler in a thread."""

    def __init__(
        self, app: App, halves: Halves, functions: list[HttpFunction], handlers: Mapping[str, Handler]
    ) -> None:
        self.functions = functions
        self.takes_websockets = True
        self._app, self._halves, self._coordinator = app, halves, halves.coordinator
        self._handlers = handlers
        self._take_context = {
            name for name, handler in handlers.items() if "context" in inspect.signature(handler).parameters
        }
        self._awaited = {name for name, handler in handlers.items() if inspect.iscoroutinefunction(handler)}
        self.web_app = _web_app(app)
        self._asgi = self.web_app.get_app()
        (self._route,) = (route for route in self._asgi.routes if getattr(route, "path", "") == "/{path:path}")

    @property
    def waits_for_ever(self) -> bool:
        return self._halves.waits_for_ever

    async def invoke(self, invocation: Invocation, scope: Scope, exchange: Exchange) -> str | None:
        """After an error before the answer, the web app answers 500. After a later error, the last piece is missing."""
        receive, send = exchange.receive, exchange.send
        scope["app"] = self._asgi
        if not self._reaches_the_route(scope):
            await self._asgi(scope, receive, send)
            return f"the worker's web app has no {scope['method']} {scope['path']!r}"
        scope["path_params"] = dict(invocation.route_parameters)
        self._coordinator.set_http_request(invocation.id, self._app.request_type(scope, receive, send))
        await self.announce(invocation)
        try:
            outcome = await self._coordinator.await_http_response_async(invocation.id)
            if isinstance(outcome, Response):
                await outcome(scope, receive, send)
                return None
        except Exception as error:
            outcome = error
            if exchange.begun:
                logger.exception("function %s failed", invocation.function.name)
                return None
        try:
            await self._asgi({**scope, OUTCOME: outcome}, receive, send)
        except Exception:
            logger.exception("function %s failed", invocation.function.name)
        return None

    async def announce(self, invocation: Invocation) -> None:
        try:
            outcome = await self._called(invocation)
        except Exception as error:
            outcome = error
        self._coordinator.set_http_response(invocation.id, outcome)

    async def _called(self, invocation: Invocation) -> Any:
        function = invocation.function
        arguments = {function.request_parameter: await self._coordinator.get_http_request_async(invocation.id)}
        if function.name in self._take_context:
            arguments.setdefault("context", self._context(invocation))
        if function.name in self._awaited:
            return await self._handlers[function.name](**arguments)
        return await asyncio.to_thread(self._handlers[function.name], **arguments)

    def _reaches_the_route(self, scope: Scope) -> bool:
        """Whether FastAPI's only route takes the request. It has methods, and a pattern that an app may change."""
        has_break = b"%0A" in scope["raw_path"]
        return scope["method"] in self._route.methods and (not has_break or self._route.path_regex.match(scope["path"]))

    def _context(self, invocation: Invocation) -> SimpleNamespace:
        """An `azure.functions.Context`. It holds no trace and no retry, because this host starts neither."""
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
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    # The extension registers the type, so it is known at run time only.
    catch_all.__annotations__ = {"request": app.request_type}
    web_app = app.extension.WebApp()
    web_app.route(catch_all)
    return web_app
