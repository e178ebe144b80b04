"""The requests that reached the fake Azure, as they arrived, and their answers."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ..connection import Connection
from ..tape.canonical import parse_body
from ..tape.interaction import Headers
from .asgi import Fields

LONGEST = 10_000  # exchanges; an emulator that runs for weeks must not fill the memory
NOT_TOLD = ("connection", "broken", "sending", "sent_headers")


@dataclass(slots=True)
class Exchange:
    """One request and its answer. `recording` is the label of the recording that answered, `origin` the source of an
    answer that nobody recorded, and `miss` the reason why nothing answered. `sending` has the pieces of the body, and
    `sent_at` a time.monotonic() for each piece that has left. `outcome` is "open", "complete", "client_left", or the
    way in which the answer was broken. `fault` is the fault that somebody asked for."""

    method: str
    target: str
    headers: Fields
    body: bytes = b""
    status: int | None = None
    recording: str | None = None
    origin: str | None = None
    miss: str | None = None
    outcome: str = "open"
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    sent_at: list[float] = field(default_factory=list)
    sent_headers: Headers = ()
    sending: Sequence[bytes] = ()
    connection: Connection | None = None
    broken: str | None = None
    fault: str | None = None

    @property
    def sent(self) -> list[bytes]:
        """The pieces of the body that have left."""
        return list(self.sending[: len(self.sent_at)])

    @property
    def json(self) -> Any:
        """What the body means; its bytes where it is no JSON."""
        return parse_body(self.body)

    def header(self, name: str) -> str | None:
        return self.headers.first.get(name)

    def as_json(self) -> dict[str, Any]:
        """The exchange for the control route, without credentials."""
        hidden = ("authorization", "api-key")
        headers = [[name, "hidden" if name in hidden else value] for name, value in self.headers]
        told = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in NOT_TOLD}
        return {**told, "headers": headers, "body": self.body.decode(errors="replace")}


class Journal:
    """The last LONGEST exchanges since `clear`, in order of arrival. Safe to use from several threads. All threads see
    a note at once, and a note wakes those who wait. The lock is taken only when somebody waits."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._exchanges = deque[Exchange](maxlen=LONGEST)

    def add(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)
        if self._waiting:
            self._tell()

    def sent(self, exchange: Exchange) -> None:
        """Notes that a piece of the body leaves."""
        exchange.sent_at.append(time.monotonic())
        if self._waiting:
            self._tell()

    def ended(self, exchange: Exchange, outcome: str) -> None:
        exchange.outcome = outcome
        exchange.ended_at = time.monotonic()  # comes last, so that the outcome is set when it is seen
        if self._waiting:
            self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        with self._lock:
            self._exchanges.clear()

    @property
    def exchanges(self) -> list[Exchange]:
        with self._lock:
            return list(self._exchanges)

    def wait_for(self, condition: Any, timeout: float = 10.0) -> list[Exchange]:
        """The exchanges, as soon as `condition(exchanges)` holds. Raises TimeoutError after `timeout` seconds."""
        with self._lock:
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: condition(list(self._exchanges)), timeout):
                    raise TimeoutError(f"after {timeout} s: {[(e.target, e.outcome) for e in self._exchanges]}")
                return list(self._exchanges)
            finally:
                self._waiting -= 1
