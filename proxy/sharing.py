"""Keeps tallies and the usage table in step. No call waits for the table, and no call fails because the table
fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from .tally import Counts, Tally

WRITE_SECONDS = 2.0  # between two writes of a row; a killed process loses at most these seconds
READ_SECONDS = 10.0  # between two reads of the others' counts, while the key is in use
NOTES_A_READ = 10  # of a key that is in use at each moment
READS_IN_USE = 6  # a key is in use for so many READ_SECONDS after its last call
ATTEMPT_SECONDS = 5.0  # for one request; a table that works answers in milliseconds
AT_ONCE = 8  # requests


class Table(Protocol):
    """Each method raises an Exception when the table refuses or does not answer."""

    async def write(self, tally: Tally) -> None:
        """Replaces what this instance wrote before with `tally.own`."""

    async def read(self, tally: Tally) -> tuple[Counts, Counts]:
        """The table's counts of this instance, and of all others together."""


class Sharing:
    """A grow-only counter: each instance writes its own row for a key and day, and adds up the others' rows. No two
    instances write the same row, so no conflict loses a count. An instance keeps counts that it could not write, and
    writes them once the table answers again.

    The row also has what calls under way have reserved. When an instance is killed, its reservations stay in the row:
    they stand for what Azure did meanwhile.
    """

    def __init__(self, table: Table, write_seconds: float = WRITE_SECONDS, read_seconds: float = READ_SECONDS) -> None:
        self.table, self.write_seconds, self.read_seconds = table, write_seconds, read_seconds
        self.changed: set[Tally] = set()
        self.note_change = self.changed.add  # twice a call; a use starts the tasks
        self.wanted: set[Tally] = set()
        self.used: dict[Tally, float] = {}  # tally: its last use, in monotonic seconds
        self.called = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.failing, self.answered_at = False, 0.0

    def note_use(self, tally: Tally) -> None:
        now = self.used[tally] = time.monotonic()
        tally.noted_until = now + self.read_seconds / NOTES_A_READ
        if tally.read_at is None or now - tally.read_at >= self.read_seconds:
            self.wanted.add(tally)
            self.called.set()
            self.start()

    def start(self) -> None:
        """Starts the tasks at the first call: the event loop does not run before it."""
        if not self.tasks:
            self.tasks = [asyncio.create_task(work()) for work in (self.keep_writing, self.keep_reading, self.keep_up)]

    async def keep_writing(self) -> None:
        while True:
            await asyncio.sleep(self.write_seconds)
            late = await self.each(self.changed, self.table.write)
            self.changed |= late
            self.wanted |= late  # a write without an answer may come after the next write; the next read shows it

    async def keep_up(self) -> None:
        while True:
            await asyncio.sleep(self.read_seconds)
            since = time.monotonic() - READS_IN_USE * self.read_seconds
            self.used = {tally: at for tally, at in self.used.items() if at >= since}
            if self.used:
                self.wanted |= self.used.keys()
                self.called.set()

    async def keep_reading(self) -> None:
        while True:
            await self.called.wait()
            self.called.clear()
            if late := await self.each(self.wanted, self.read):
                self.wanted |= late
                await asyncio.sleep(self.write_seconds)
                self.called.set()

    async def read(self, tally: Tally) -> None:
        began = time.monotonic()
        written, tally.others = await self.table.read(tally)
        tally.read_at = began
        if written != tally.own:
            self.changed.add(tally)

    async def each(self, tallies: set[Tally], work: Callable[[Tally], Awaitable[None]]) -> set[Tally]:
        """Empties `tallies`, and returns those for which `work` failed."""
        waiting, late = list(tallies), set[Tally]()
        tallies.clear()

        async def worker() -> None:
            while waiting:
                tally, began = waiting.pop(), time.monotonic()
                try:
                    async with asyncio.timeout(ATTEMPT_SECONDS):
                        await work(tally)
                    self.report(began, None)
                except Exception as error:
                    late.update((tally, *waiting))  # the table fails for all of them
                    waiting.clear()
                    self.report(began, error)

        await asyncio.gather(*(worker() for _ in range(min(AT_ONCE, len(waiting)))))
        return late

    def report(self, began: float, failure: Exception | None) -> None:
        """Reports a failure once when it begins and once when it is over. It prints, as records do: the host drops log
        lines that come after a call."""
        if not failure:
            self.answered_at = time.monotonic()
        if bool(failure) == self.failing or (failure and began < self.answered_at):
            return  # nothing new, or an attempt that began before the table was back
        self.failing = bool(failure)
        reason = " ".join(f"{type(failure).__name__}: {failure}".split())[:300].rstrip(": ")
        print(
            f"usage table: {reason}. Each instance counts for itself until it answers."
            if failure
            else "usage table: it answers again, and gets what was counted meanwhile.",
            flush=True,
        )
