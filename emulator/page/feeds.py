"""The feeds of all open pages, across event loops."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .refusal import Refusal

MOST = 8  # at once


class Feeds:
    def __init__(self) -> None:
        self._ends = list[Callable[[], None]]()
        self._is_over = False

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[None]:
        """Inside the context, a stop of the emulator calls `end`, from any thread. Raises Refusal where MOST pages are
        open."""
        if len(self._ends) >= MOST:
            raise Refusal(503, "too_many_feeds", f"{MOST} pages are open already; close one.")
        self._ends.append(end)
        try:
            if self._is_over:
                end()
            yield
        finally:
            self._ends.remove(end)

    def end(self) -> None:
        """Ends all feeds, as the server is about to stop."""
        self._is_over = True
        for end in [*self._ends]:
            end()
