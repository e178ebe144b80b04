"""Limits the records of calls without a good key: anybody can make such calls, and fill the day's log with them."""

import time
from collections.abc import Callable, Sequence

from .fields import Fields

REFUSALS = frozenset(("missing_api_key", "two_api_keys", "invalid_api_key"))
A_MINUTE = 60  # records: enough to notice mistyped keys


class Strangers:
    """Lets A_MINUTE records of refused strangers through in a minute, and counts the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.minute, self.seen = clock, 0, 0

    def few(self, records: Sequence[Fields]) -> list[Fields]:
        return [fields for fields in records if fields.error not in REFUSALS or self.has_room()]

    def has_room(self) -> bool:
        minute = int(self.clock() // 60)
        if minute != self.minute:
            if self.seen > A_MINUTE:
                print(f"calls without a good key: {self.seen - A_MINUTE} more were refused in one minute", flush=True)
            self.minute, self.seen = minute, 0
        self.seen += 1
        return self.seen <= A_MINUTE
