"""What reached the fake Azure, as it arrived, and what became of it."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ..connection import Connection

LONGEST = 10_000  # exchanges; an emulator that runs for weeks must not fill the memory
NOT_TOLD = ("connection", "broken", "sent", "sent_headers")


@dataclass
class Exchange:
    """One request. `recording` is the label of what answered it, `miss` the explanation when nothing did; `sent_at` has
    one time.monotonic() per piece of the body in `sent`; `outcome` is "open", "complete", "client_left", or how it was
    broken; `fault` what was asked to go wrong."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    status: int | None = None
    recording: str | None = None
    miss: str | None = None
    outcome: str = "open"
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    sent_at: list[float] = field(default_factory=list)
    sent_headers: tuple[tuple[str, str], ...] = ()
    sent: list[bytes] = field(default_factory=list)
    connection: Connection | None = None
    broken: str | None = None
    fault: str | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def as_json(self) -> dict[str, Any]:
        """Without credentials, for the control route."""
        hidden = ("authorization", "api-key")
        headers = [[name, "hidden" if name in hidden else value] for name, value in self.headers]
        told = {name: value for name, value in vars(self).items() if name not in NOT_TOLD}
        return {**told, "headers": headers, "body": self.body.decode(errors="replace")}


class Journal:
    """The exchanges since the last `clear`, the last LONGEST of them, in order of arrival. Safe to use from several
    threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._exchanges = deque[Exchange](maxlen=LONGEST)

    def add(self, exchange: Exchange) -> None:
        with self._changed:
            self._exchanges.append(exchange)
            self._changed.notify_all()

    def sent(self, exchange: Exchange, piece: bytes) -> None:
        """A piece of the body leaves."""
        with self._changed:
            exchange.sent_at.append(time.monotonic())
            exchange.sent.append(piece)
            self._changed.notify_all()

    def ended(self, exchange: Exchange, outcome: str) -> None:
        with self._changed:
            exchange.outcome, exchange.ended_at = outcome, time.monotonic()
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._exchanges.clear()

    @property
    def exchanges(self) -> list[Exchange]:
        with self._changed:
            return list(self._exchanges)

    def wait_for(self, condition: Any, timeout: float = 10.0) -> list[Exchange]:
        """The exchanges, once `condition(exchanges)` holds. Raises TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(list(self._exchanges)), timeout):
                raise TimeoutError(f"after {timeout} s: {[(e.target, e.outcome) for e in self._exchanges]}")
            return list(self._exchanges)
