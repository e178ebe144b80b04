"""The routes of the control API. docs/control.md describes what they take and give."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from . import calls, cassettes, difference, export, faults, feed, journal, setup, state, static, stubs
from .asked import Asked
from .subject import Subject


@dataclass(frozen=True)
class Route:
    """`shown` is the path below /_emulator/, such as `calls/{number}`. `run` runs in a thread and gives JSON or a
    Delivered; `waits`, where the route has one, comes before it. `query` lists the names that the query may have.
    `is_page` marks the files of the page, and `is_document` the file that a browser opens."""

    method: str
    shown: str
    run: Callable[[Subject, Asked], Any]
    query: tuple[str, ...] = ()
    waits: Callable[[Subject, Asked], Awaitable[None]] | None = None
    is_page: bool = False
    is_document: bool = False

    @property
    def path(self) -> re.Pattern[str]:
        return re.compile(FORMS.sub(lambda form: PARTS[form[1]], self.shown))


FORMS = re.compile(r"\{(\w+)\}")
PARTS = {"number": "(?P<number>[0-9]{1,15})", "name": "(?P<name>.+)", "file": r"(?P<file>[a-z0-9-]+\.[a-z]+)"}
API = (
    Route("GET", "state", state.read),
    Route("GET", "setup", setup.read),
    Route("PATCH", "state", state.change),
    Route("POST", "reset", state.reset),
    Route("GET", "calls", calls.listed, calls.QUERY, calls.wait),
    Route("GET", "calls/{number}", calls.one),
    Route("GET", "calls/{number}/frames", calls.frames, ("after", "limit")),
    Route("GET", "calls/{number}/request", calls.request),
    Route("GET", "calls/{number}/answer", calls.answer),
    Route("GET", "calls/{number}/difference", difference.read, ("with", "number")),
    Route("GET", "calls/{number}/export", export.read, ("as",)),
    Route("GET", "cassettes", cassettes.listed),
    Route("GET", "cassettes/{name}", cassettes.one),
    Route("GET", "events", feed.read),
    Route("GET", "faults", faults.listed),
    Route("GET", "stubs", stubs.listed),
    Route("POST", "stubs", stubs.add),
    Route("DELETE", "stubs", stubs.clear),
    Route("GET", "journal", journal.read),
    Route("DELETE", "journal", journal.clear),
)
PAGE = (
    Route("GET", "", static.index, is_page=True, is_document=True),
    Route("GET", "static/{file}", static.file, is_page=True),
)
ROUTES = (*API, *PAGE)
MOVED = Route("GET", "", static.moved, is_page=True, is_document=True)
NOWHERE = Route("", "", static.moved)
