"""Requests that wait until something happens. No client needs to poll, and a waiting request delays no other."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from ..azure.journal import Journal
from .refusal import Refusal

MOST = 32  # at once
PAUSE_SECONDS = 0.005  # between two looks, however much happens


class Waiting:
    """Works across event loops: the fake Azure runs on one, and a waiting request may run on another."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._wakes = list[Callable[[], None]]()
        self._is_over = False

    async def until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Returns once `holds()` is true, and at the latest when the time is up or the emulator stops. Raises Refusal
        where MOST requests wait already."""
        if not seconds or holds():
            return
        if len(self._wakes) >= MOST:
            raise Refusal(503, "too_many_feeds", f"{MOST} others are waiting already; try again when one has ended.")
        loop, happened = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not happened.is_set():
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(happened.set)

        self._wakes.append(wake)
        try:
            with self._journal.watched(wake), suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not (self._is_over or holds()):
                        await happened.wait()
                        await asyncio.sleep(PAUSE_SECONDS)
                        happened.clear()
        finally:
            self._wakes.remove(wake)

    def end(self) -> None:
        """Ends every wait, as the server is about to stop."""
        self._is_over = True
        for wake in [*self._wakes]:
            wake()
