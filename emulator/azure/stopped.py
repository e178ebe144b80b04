"""Calls that ended at the proxy with an error and never came here, as exchanges of the journal."""

import itertools
import time
from collections.abc import Mapping
from typing import Any

from .asgi import headers_of
from .journal import Exchange, Journal

CALL_HEADER = "openai-emulator-call"  # the number that the proxy's host gives a call
SEARCHED = 1_000  # of the newest exchanges: a call that came here came a moment ago


def note(journal: Journal, told: Mapping[str, Any]) -> None:
    """`told` is a line of host/calls.py. A call that came here is in the journal already."""
    number = str(told["call"])
    recent = itertools.islice(reversed(journal.exchanges), SEARCHED)
    if any(exchange.header(CALL_HEADER) == number for exchange in recent):
        return
    now = time.monotonic()
    exchange = Exchange(
        told["method"],
        told["path"],
        headers_of(()),
        status=told["status"],
        outcome="complete",
        started_at=now - told["ms"] / 1000,
        stopped=told,
    )
    journal.add(exchange)
    journal.ended(exchange, "complete")


def call_of(exchange: Exchange) -> int | None:
    """The number of the proxy's call, where the host gave it one."""
    number = exchange.stopped["call"] if exchange.stopped else exchange.header(CALL_HEADER)
    return int(number) if number and str(number).isdecimal() and len(str(number)) < 16 else None
