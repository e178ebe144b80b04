"""The requests that reached the fake Azure, as they arrived, and their answers."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ..connection import Connection
from ..tape.canonical import parse_body
from ..tape.interaction import Headers
from .asgi import Fields
from .plan import Plan
from .question import Question

LONGEST = 10_000  # exchanges; an emulator that runs for weeks must not fill the memory
MOST_BODY_BYTES = 256 * 2**20  # of all requests together
KEPT_BODY_BYTES = MOST_BODY_BYTES * 7 // 8  # once there were more: to make room for a single one would take long


@dataclass(slots=True)
class Exchange:
    """One request. `number` is never given twice in a process. `recording` is the label of what answered it, `origin`
    who made an answer that nobody recorded, and `miss` says why nothing answered. `sending` are the pieces of the body;
    `sent_at` has a time.monotonic() for each that has left. `outcome` is "open", "complete", "client_left", or how it
    was broken; `fault` is what was asked to go wrong. `question` is what was understood of it. `plan` is how the answer
    leaves; where it has a schedule, `head_at` is when the headers left and `time_scale` how fast it runs. `dropped` is
    the size of a body that is kept no longer. `stopped` is what the proxy told of a call that it did not pass on,
    and `test` the test that made the call, where one is known."""

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
    number: int = 0
    question: Question | None = None
    plan: Plan | None = None
    head_at: float | None = None
    time_scale: float = 0.0
    dropped: int = 0
    stopped: Mapping[str, Any] | None = None
    test: str | None = None

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

    def drop_body(self) -> None:
        self.dropped, self.body = self.dropped or len(self.body), b""
        if self.question:
            self.question = replace(self.question, body=b"")


class Journal:
    """The exchanges since the last `clear`, the last LONGEST of them, in order of arrival. Their bodies are at most
    MOST_BODY_BYTES; the oldest lose theirs first. `epoch` makes a time of day of a time.monotonic(). `cleared` counts
    the calls of `clear`. Safe to use from
    several threads: what is noted is seen at once, and who waits for it is woken; the lock is taken only where one
    does."""

    def __init__(self) -> None:
        self.epoch = time.time() - time.monotonic()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._watching = list[Callable[[], None]]()
        self._exchanges = deque[Exchange](maxlen=LONGEST)
        self.cleared = self._last_number = 0
        self._body_bytes = 0  # at least so many

    def add(self, exchange: Exchange) -> None:
        with self._lock:
            self._last_number += 1
            exchange.number = self._last_number
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
        exchange.ended_at = time.monotonic()  # last: who sees when it ended sees how
        self._body_bytes += len(exchange.body)
        if self._body_bytes > MOST_BODY_BYTES:
            self._drop_bodies()
        if self._waiting:
            self._tell()

    def _drop_bodies(self) -> None:
        """Bodies that are equal are often one object, and those of exchanges that are gone were counted as well: only
        here is it known how much there is."""
        held, total, is_full = set[int](), 0, False
        for exchange in reversed(self.exchanges):
            size = 0 if id(exchange.body) in held else len(exchange.body)
            is_full = is_full or total + size > KEPT_BODY_BYTES
            if is_full and exchange.ended_at is not None:
                exchange.drop_body()
            else:
                held.add(id(exchange.body))
                total += size
        self._body_bytes = total

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
            for wake in self._watching:
                wake()

    def clear(self) -> None:
        with self._lock:
            self._exchanges.clear()
            self.cleared += 1
            self._body_bytes = 0

    @property
    def exchanges(self) -> list[Exchange]:
        with self._lock:
            return list(self._exchanges)

    @property
    def span(self) -> tuple[int, int] | None:
        """The numbers of the oldest exchange that is kept and of the newest; None where there are none."""
        with suppress(IndexError):
            return self._exchanges[0].number, self._exchanges[-1].number
        return None

    @property
    def last_number(self) -> int:
        """Of all calls that came, those that are gone as well."""
        return self._last_number

    def after(self, number: int) -> list[Exchange]:
        """Those with a larger number. This takes no longer than they are many."""
        count = max(0, self._last_number - number)
        return [one for one in [*itertools.islice(reversed(self._exchanges), count)][::-1] if one.number > number]

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

    @contextmanager
    def watched(self, wake: Callable[[], None]) -> Iterator[None]:
        """Meanwhile `wake` is called, in whatever thread it happens, when something is noted."""
        with self._lock:
            self._waiting += 1
            self._watching.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                self._watching.remove(wake)
