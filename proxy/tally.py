"""Counts what one key has used in a day, and in a minute."""

import math
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta

from .keys import Key


@dataclass(slots=True)
class Counts:
    """`estimated` counts the requests whose tokens Azure did not tell. `open_requests` counts the calls under way, and
    `reserved_tokens` what they may take."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    estimated: int = 0
    open_requests: int = 0
    reserved_tokens: int = 0

    def add(self, more: "Counts") -> None:
        self.requests += more.requests
        self.input_tokens += more.input_tokens
        self.output_tokens += more.output_tokens
        self.total_tokens += more.total_tokens
        self.estimated += more.estimated
        self.open_requests += more.open_requests
        self.reserved_tokens += more.reserved_tokens

    def both(self, others: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(others, name) for name in FIELDS))


FIELDS = tuple(field.name for field in fields(Counts))


class Tally:
    """The counts of one key and one day, and of its last minute. This process counted `own`, and last read the others'
    counts, `others`, at `read_at` (monotonic seconds; None: never). The exchange hears of uses after `noted_until`."""

    __slots__ = ("day", "key", "minute", "noted_until", "others", "own", "read_at")

    def __init__(self, key: Key, day: int) -> None:
        self.key, self.day = key, day
        self.own, self.others = Counts(), Counts()
        self.minute = Minute()
        self.read_at: float | None = None
        self.noted_until = -math.inf

    def used_tokens(self) -> int:
        """What calls have used that are over, of all instances."""
        return self.own.total_tokens + self.others.total_tokens

    @property
    def used(self) -> dict[str, int]:
        return {"requests": self.own.requests + self.others.requests, "tokens": self.used_tokens()}

    @property
    def date(self) -> date:
        return (datetime.fromtimestamp(0, UTC) + timedelta(days=self.day)).date()


class Minute:
    """The counts of one key and one minute, in this process alone. The key's first call after a minute begins the next
    one. `ends` is in monotonic seconds."""

    __slots__ = ("ends", "requests", "tokens")

    def __init__(self, ends: float = -math.inf) -> None:
        self.ends, self.requests, self.tokens = ends, 0, 0

    @property
    def used(self) -> dict[str, int]:
        return {"requests": self.requests, "tokens": self.tokens}
