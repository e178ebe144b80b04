"""The control API: an ASGI application for the paths below /_emulator/."""

import asyncio
from collections.abc import Iterable
from types import TracebackType

from ..azure.app import CONTROL_PATH, no_control
from ..azure.asgi import ClientLeft, Receive, Scope, Send
from ..connection import EXTENSION
from .access import Access
from .answer import Delivered, answer_of
from .asked import Asked, header_of, json_of, query_of
from .refusal import Refusal
from .routes import MOVED, NOWHERE, ROUTES, Route
from .subject import Subject

WITH_BODY = ("PATCH", "POST")
SHORTER = ("/", CONTROL_PATH)  # what people type; the first reaches only a port of its own


class Control:
    """A context manager. Inside it the fake Azure passes on all requests below /_emulator/. Leave it before the server
    stops: it answers the requests that wait.

    with serving(azure, bind(0)) as base, Control(Subject(azure, folders)):
        httpx.get(f"{base}/_emulator/state")
    """

    def __init__(self, subject: Subject, access: Access | None = None, routes: tuple[Route, ...] = ROUTES) -> None:
        self.subject, self.access, self.routes = subject, access or Access(), routes

    def __enter__(self) -> "Control":
        self.subject.azure.control = self
        self.subject.azure.at_reset.append(self.subject.declared.clear)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.subject.azure.control = no_control
        self.subject.azure.at_reset.remove(self.subject.declared.clear)
        self.subject.declared.clear()
        self.subject.waiting.end()
        self.subject.feeds.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope["extensions"][EXTENSION]
        try:
            try:
                answer = await self.answer(scope, receive)
                await answer.deliver(send, connection)
            except Refusal as refusal:
                await refusal.answer().deliver(send, connection)
        except (ClientLeft, OSError):
            pass
        except asyncio.CancelledError:
            if not connection.has_cancelled():
                raise

    async def answer(self, scope: Scope, receive: Receive) -> Delivered:
        """Raises Refusal. The route runs in a thread, as the emulator must go on answering."""
        found = self._found(scope["path"])
        route, parts = found.get(scope["method"], (NOWHERE, {}))
        self.access.check(scope, route.is_page, route.is_document)
        if route is NOWHERE:
            raise self._no_route(found)
        query = query_of(scope, route.query)
        body = await json_of(scope, receive) if scope["method"] in WITH_BODY else {}
        scope["extensions"][EXTENSION].watch()
        asked = Asked(parts, query, body, header_of(scope, "if-none-match"))
        if route.waits:
            await route.waits(self.subject, asked)
        told = await asyncio.to_thread(route.run, self.subject, asked)
        return answer_of(told) if isinstance(told, dict) else told

    def _found(self, path: str) -> dict[str, tuple[Route, dict[str, str]]]:
        """The routes of a path: method → (route, parts of the path)."""
        below = path.removeprefix(f"{CONTROL_PATH}/") if path.startswith(f"{CONTROL_PATH}/") else None
        if path in SHORTER:
            return {route.method: (MOVED, {}) for route in self.routes if route.is_document}
        return {
            route.method: (route, match.groupdict())
            for route in self.routes
            if below is not None and (match := route.path.fullmatch(below))
        }

    def _no_route(self, found: Iterable[str]) -> Refusal:
        if allowed := ", ".join(found):
            return Refusal(405, "method_not_allowed", f"This route takes {allowed}.", headers=(("allow", allowed),))
        known = ", ".join(dict.fromkeys(route.shown for route in self.routes if not route.is_page))
        return Refusal(404, "no_such_route", f"The routes below {CONTROL_PATH}/ are {known}.")
