"""Limits how much each key may use: reserves before a call, and settles after it.

How far calls can overrun a budget. The proxy lets a call in while anything is left, so the last call may take more than
is left. A call that limits its output takes about its reservation: the output is limited, and the input is estimated
from its size. PROXY_MAX_OUTPUT_TOKENS limits the output of every call. One instance overruns a budget by no more than
this last call, however many calls come at once. An instance learns of another instance's call at most WRITE_SECONDS +
READ_SECONDS after the call began (proxy/sharing.py). After a pause of the key, it learns with the key's first call,
once the table has answered. So N instances together give at most N times what was left, and N last calls; then all of
them refuse until midnight.

A day is a day of UTC, by each instance's own clock. An instance whose clock is a minute ahead begins the new day's
budget a minute early, for its own calls. Each instance counts minutes for itself.
"""

import functools
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from .charge import WHOSE, Charge
from .errors import ProxyError
from .estimate import Estimate
from .keys import DAY_SECONDS, KNOWN, Key
from .tally import Minute, Tally

MINUTE_SECONDS = 60.0
SOON_SECONDS = 2.0  # when to ask again, while calls under way hold the rest


class Limit(NamedTuple):
    """`field` of a key limits what `counted` counts in a `period`."""

    field: str
    counted: str
    period: str


LIMITS = REQUESTS_A_DAY, TOKENS_A_DAY, REQUESTS_A_MINUTE, TOKENS_A_MINUTE = (
    Limit("requests_a_day", "requests", "day"),
    Limit("tokens_a_day", "tokens", "day"),
    Limit("requests_a_minute", "requests", "minute"),
    Limit("tokens_a_minute", "tokens", "minute"),
)


@functools.lru_cache(KNOWN)
def limits_of(key: Key) -> tuple[float, ...]:
    """In the order of LIMITS; no limit is infinity."""
    limits = (getattr(key, limit.field) for limit in LIMITS)
    return tuple(math.inf if most is None else most for most in limits)


class OverBudget(ProxyError):
    """A 429 because of a key's own limit. The caller may ask again `after` so many seconds."""

    def __init__(self, code: str, *facts: object, after: float) -> None:
        super().__init__(code, *facts)
        self.after = math.ceil(after)

    @property
    def headers(self) -> dict[str, str]:
        again = {} if self.retry else {"x-should-retry": "false"}
        return {**super().headers, "retry-after": str(self.after), WHOSE.decode(): "key", **again}


class Exchange(Protocol):
    """Shares tallies with other instances. No method waits."""

    def note_change(self, tally: Tally) -> None: ...
    def note_use(self, tally: Tally) -> None: ...


class Alone:
    """The exchange of a process that counts for itself."""

    def note_change(self, tally: Tally) -> None:
        pass

    def note_use(self, tally: Tally) -> None:
        pass


class Budgets:
    """The budgets of all keys that this process has seen today. `clock` gives seconds since 1970, `monotonic` seconds
    that never jump."""

    def __init__(
        self,
        exchange: Exchange | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.exchange, self.clock, self.monotonic = exchange or Alone(), clock, monotonic
        self.day, self.day_ends = 0, 0.0  # in seconds since 1970
        self.tallies: dict[str, Tally] = {}

    def tally(self, key: Key) -> Tally:
        """The key's tally of today and of this minute. The day stays when the clock is set back: a day that begins
        twice would write its row in the table from 0 again."""
        if self.clock() >= self.day_ends:
            self.begin_day()
        if (tally := self.tallies.get(key.id)) is None:
            tally = self.tallies[key.id] = Tally(key, self.day)
        now = self.monotonic()
        if now >= tally.minute.ends:
            tally.minute = Minute(now + MINUTE_SECONDS)
        if now >= tally.noted_until:
            self.exchange.note_use(tally)
        return tally

    def begin_day(self) -> None:
        self.day = int(self.clock() // DAY_SECONDS)
        self.day_ends = (self.day + 1) * DAY_SECONDS
        self.tallies.clear()  # calls under way and unwritten changes keep their own tally

    def usual_output(self, key: Key) -> int:
        """The average tokens of an answer to this key; 0 before the first answer."""
        tally = self.tallies.get(key.id)
        return tally.own.output_tokens // tally.own.requests if tally and tally.own.requests else 0

    def usual_input(self, key: Key) -> int:
        tally = self.tallies.get(key.id)
        return tally.own.input_tokens // tally.own.requests if tally and tally.own.requests else 0

    def reserve(self, key: Key, asked: Estimate | None) -> Charge:
        """Raises OverBudget. `asked` is None for a call that asks no model; only the minute limits such a call."""
        tally = self.tally(key)
        minute, own, others, changed = tally.minute, tally.own, tally.others, self.exchange.note_change
        requests_a_day, tokens_a_day, requests_a_minute, tokens_a_minute = limits_of(key)
        if asked:  # what is used, under way and reserved, by all instances
            if own.requests + own.open_requests + others.requests + others.open_requests >= requests_a_day:
                raise self.over(REQUESTS_A_DAY, key, tally)
            if own.total_tokens + own.reserved_tokens + others.total_tokens + others.reserved_tokens >= tokens_a_day:
                raise self.over(TOKENS_A_DAY, key, tally)
        if minute.requests >= requests_a_minute:
            raise self.over(REQUESTS_A_MINUTE, key, tally)
        if minute.tokens >= tokens_a_minute:
            raise self.over(TOKENS_A_MINUTE, key, tally)
        minute.requests += 1
        if not asked:
            return Charge(changed, tally, minute)
        reserved = asked.input_tokens + asked.output_tokens
        minute.tokens += reserved
        own.reserved_tokens += reserved
        own.open_requests += 1
        changed(tally)
        return Charge(changed, tally, minute, asked, reserved)

    def over(self, limit: Limit, key: Key, tally: Tally) -> OverBudget:
        most: int = getattr(key, limit.field)
        if limit.period == "minute":
            wait = tally.minute.ends - self.monotonic()
            return OverBudget("key_minute_used_up", most, limit.counted, math.ceil(wait), after=wait)
        left = self.left(key)[limit.field]
        if left and left > 0:
            return OverBudget("key_budget_reserved", most, limit.counted, after=SOON_SECONDS)
        wait = max(0.0, self.day_ends - self.clock())
        hours, minutes = divmod(math.ceil(wait / 60), 60)
        return OverBudget("key_budget_used_up", most, limit.counted, hours, minutes, after=wait)

    def left(self, key: Key) -> dict[str, int | None]:
        """Limit: what is left of it, at least 0; None: no limit. Calls under way do not count."""
        tally = self.tally(key)
        used = {"day": tally.used, "minute": tally.minute.used}
        limits = ((limit, getattr(key, limit.field)) for limit in LIMITS)
        return {
            limit.field: None if most is None else max(0, most - used[limit.period][limit.counted])
            for limit, most in limits
        }

    def tomorrow(self) -> datetime:
        return datetime.fromtimestamp(self.day_ends, UTC)
