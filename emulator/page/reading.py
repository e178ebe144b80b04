"""The verb `page`: a journal that pytest kept, to look at."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..azure import FakeAzure
from ..folder import library_of, served
from ..server import serving
from . import kept
from .access import Access
from .asked import Asked
from .command import bound, told_of
from .control import Control
from .refusal import Refusal
from .routes import ROUTES, Route
from .subject import Subject


def refuse(_: Subject, __: Asked) -> Any:
    raise Refusal(409, "read_only", "This is a file of calls that were made. Nothing of it can be changed.")


def read_only(route: Route) -> Route:
    return route if route.method == "GET" else replace(route, run=refuse, waits=None)


def subject_of(arguments: argparse.Namespace) -> Subject:
    """Raises UsageError."""
    folders = served(arguments.cassettes)
    azure = FakeAzure(library_of(folders))
    azure.journal = kept.read(arguments.file)
    return Subject(azure, folders, is_file=True)


@contextmanager
def reading(arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """The page of a file, on loopback. Gives what there is to tell of it. Raises UsageError and PortError."""
    subject, routes, access = subject_of(arguments), tuple(map(read_only, ROUTES)), Access()
    with bound(arguments) as sock, serving(Control(subject, access, routes), sock) as base:
        try:
            yield told_of(base, access, routes)
        finally:
            subject.feeds.end()
            subject.waiting.end()
