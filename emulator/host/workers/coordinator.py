"""The two halves of a call and where they meet, as in the worker of Python 3.11 and 3.12 (its source: http_v2.py).

An app may change these names, though Microsoft does not promise them (proxy/worker.py does). So the `public` backend
has them too, under the worker's module name, and uses them as the app changed them.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

MODULE = "azure_functions_worker.http_v2"


class Meeting:
    """The request and the answer of a call. Each is handed over once."""

    __slots__ = ("answer", "answered", "http_request_available_event", "request")

    def __init__(self) -> None:
        self.request: Any = None
        self.answer: Any = None
        self.http_request_available_event, self.answered = asyncio.Event(), asyncio.Event()


class HttpCoordinator:
    """Has the names of the worker's class. Like the worker's, it forgets nothing by itself."""

    def __init__(self) -> None:
        self._context_references: dict[str, Meeting] = {}

    def _meeting(self, invocation_id: str) -> Meeting:
        return self._context_references.setdefault(invocation_id, Meeting())

    def set_http_request(self, invocation_id: str, request: Any) -> None:
        meeting = self._meeting(invocation_id)
        meeting.request = request
        meeting.http_request_available_event.set()

    def set_http_response(self, invocation_id: str, answer: Any) -> None:
        meeting = self._context_references[invocation_id]
        meeting.answer = answer
        meeting.answered.set()

    async def get_http_request_async(self, invocation_id: str) -> Any:
        await self._meeting(invocation_id).http_request_available_event.wait()
        return self._pop_http_request(invocation_id)

    async def await_http_response_async(self, invocation_id: str) -> Any:
        await self._context_references[invocation_id].answered.wait()
        return self._pop_http_response(invocation_id)

    def _pop_http_request(self, invocation_id: str) -> Any:
        return self._pop(invocation_id, "request")

    def _pop_http_response(self, invocation_id: str) -> Any:
        return self._pop(invocation_id, "answer")

    def _pop(self, invocation_id: str, name: str) -> Any:
        meeting = self._context_references[invocation_id]
        value = getattr(meeting, name)
        setattr(meeting, name, None)
        if value is None:
            raise ValueError(f"no {name} for the invocation {invocation_id}")
        return value


class Halves:
    """A worker's coordinator, and whether an app has changed how it waits."""

    def __init__(self, coordinator: Any) -> None:
        self.coordinator = coordinator
        self._wait = type(coordinator).get_http_request_async

    @property
    def waits_for_ever(self) -> bool:
        """Whether an invocation stays open when its request never comes: the app has kept Microsoft's way to wait."""
        return getattr(self.coordinator.get_http_request_async, "__func__", None) is self._wait

    def have_met(self, invocation_id: str) -> bool:
        """Whether the request of a call has come, or the call is over and forgotten."""
        known = self.coordinator._context_references.get(invocation_id)
        return known is None or bool(known.http_request_available_event.is_set())


@contextmanager
def offered() -> Iterator[Halves]:
    """Puts a coordinator where an app looks for the worker's, until the block ends."""
    module = ModuleType(MODULE)
    coordinator = module.http_coordinator = HttpCoordinator()  # type: ignore[attr-defined]
    before = sys.modules.get(MODULE)
    sys.modules[MODULE] = module
    try:
        yield Halves(coordinator)
    finally:
        if before is None:
            del sys.modules[MODULE]
        else:
            sys.modules[MODULE] = before
