"""The changes that an open page does not know yet. For each open call it keeps only how much the page knows."""

import time
from collections.abc import Iterator
from typing import Any

from ..azure.journal import Exchange
from . import call, state
from .subject import Subject

SNAPSHOT_ROWS, MESSAGE_ROWS = 500, 200
STATE_SECONDS = 1.0  # between two counts with the same settings, as counting 10,000 calls takes milliseconds
Event = tuple[str, dict[str, Any]]
Known = tuple[int, int | None, bool, bool]


class Changes:
    """`are_there` takes microseconds. `events` takes time in proportion to the changes."""

    def __init__(self, subject: Subject) -> None:
        self._subject, self._journal = subject, subject.azure.journal
        self._cleared = self._journal.cleared
        self._is_new = True
        self._last = 0  # the number of the newest call that the page knows
        self._open = dict[int, tuple[Exchange, Known]]()
        self._state: dict[str, Any] = {}
        self._settings: object = None
        self._counted_at = 0.0
        self._is_miscounted = True

    def are_there(self) -> bool:
        return (
            self._is_new
            or (self._journal.span or (0, 0))[1] > self._last
            or self._journal.cleared != self._cleared
            or self._is_state_due()
            or any(known != _known(exchange) for exchange, known in self._open.values())
        )

    def events(self) -> Iterator[Event]:
        """Yields (name, content) of each message to send now. Rows that have no room come with the next call."""
        if self._journal.cleared != self._cleared:
            self._cleared = self._journal.cleared  # before it reads the calls, so no call is missed
            self._is_new, self._last, self._is_miscounted = True, 0, True
            self._open.clear()
            yield "cleared", {}
        if told := self._calls():
            self._is_miscounted = True
            yield "calls", told
        if self._is_state_due():
            yield from self._changed_state()

    def _calls(self) -> dict[str, Any] | None:
        new, is_snapshot = self._journal.after(self._last), self._is_new
        if is_snapshot:
            new = new[-SNAPSHOT_ROWS:]
        changed = [exchange for exchange, known in self._open.values() if known != _known(exchange)]
        told = [*changed[: MESSAGE_ROWS // 2], *new][: SNAPSHOT_ROWS if is_snapshot else MESSAGE_ROWS]
        if not told and not is_snapshot:
            return None
        rows = []
        for exchange in told:
            self._note(exchange)
            rows.append(call.row(exchange, self._journal))
        self._is_new = False
        span = self._journal.span
        more = len(changed) + len(new) - len(told)
        return {"calls": rows, "snapshot": is_snapshot, "more": more, "first": span and span[0]}

    def _note(self, exchange: Exchange) -> None:
        """Notes what the page will know of the call. It must come before the call's row: a change in between is then
        sent again."""
        known = _known(exchange)
        self._last = max(self._last, exchange.number)
        self._open.pop(exchange.number, None)
        if not known[-1]:
            self._open[exchange.number] = exchange, known  # at the end, so all others come first

    def _is_state_due(self) -> bool:
        is_miscounted = self._is_miscounted or self._subject.azure.records
        is_time = time.monotonic() - self._counted_at >= STATE_SECONDS
        return self._settings != state.settings(self._subject) or (is_miscounted and is_time)

    def _changed_state(self) -> Iterator[Event]:
        self._settings, self._counted_at, self._is_miscounted = state.settings(self._subject), time.monotonic(), False
        told = state.told(self._subject)
        if self._state | {"now": None} != told | {"now": None}:
            self._state = told
            yield "state", told


def _known(exchange: Exchange) -> Known:
    """The values by which a call's row changes. The last one says whether the call has ended."""
    is_over = exchange.ended_at is not None
    return len(exchange.sent_at), exchange.status, exchange.question is not None, is_over
