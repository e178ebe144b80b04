"""The control API: an ASGI application for the paths below /_emulator/."""

import asyncio
from types import TracebackType

from ..azure.app import CONTROL_PATH, no_control
from ..azure.asgi import ClientLeft, Receive, Scope, Send, respond
from ..connection import EXTENSION
from .access import Access
from .answer import Answer, answer_of
from .asked import Asked, json_of, query_of
from .refusal import Refusal
from .routes import ROUTES, Route
from .subject import Subject

WITH_BODY = ("PATCH", "POST")


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            try:
                answer = await self.answer(scope, receive)
            except Refusal as refusal:
                answer = refusal.answer()
            await respond(send, answer.status, answer.all_headers(), answer.body)
        except (ClientLeft, OSError):
            pass
        except asyncio.CancelledError:
            if not scope["extensions"][EXTENSION].has_cancelled():
                raise

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """Raises Refusal. The route runs in a thread, as the emulator must go on answering."""
        self.access.check(scope)
        route, parts = self._route(scope["path"], scope["method"])
        query = query_of(scope, route.query)
        body = await json_of(scope, receive) if scope["method"] in WITH_BODY else {}
        scope["extensions"][EXTENSION].watch()
        asked = Asked(parts, query, body)
        if route.waits:
            await route.waits(self.subject, asked)
        return answer_of(await asyncio.to_thread(route.run, self.subject, asked))

    def _route(self, path: str, method: str) -> tuple[Route, dict[str, str]]:
        prefix, _, rest = path.removeprefix(CONTROL_PATH).partition("/")
        found = {
            route.method: (route, match.groupdict())
            for route in self.routes
            if path.startswith(CONTROL_PATH) and not prefix and (match := route.path.fullmatch(rest))
        }
        if not found:
            known = ", ".join(dict.fromkeys(route.shown for route in self.routes))
            raise Refusal(404, "no_such_route", f"The routes below {CONTROL_PATH}/ are {known}.")
        if method not in found:
            allowed = ", ".join(found)
            raise Refusal(405, "method_not_allowed", f"This route takes {allowed}.", headers=(("allow", allowed),))
        return found[method]
