"""Holds what one call has reserved until the call is over, and then counts what it took."""

import re
from collections.abc import Callable

from .estimate import FRAME_END, Estimate, frames_of, used
from .excerpt import Excerpt
from .fields import Fields
from .tally import Counts, Minute, Tally

RESPONSE_ID = re.compile(rb'"id"\s*:\s*"(resp_[A-Za-z0-9_-]{1,256})"')
HEAD_BYTES = 4_096  # of a chunk; the id comes before anything that a caller chooses
WHOSE = b"x-proxy-limit-of"  # on each 429: `key` for the key's own limit, `azure` for the limit that all share


class Charge:
    """Budgets.reserve makes it. It calls `changed` when it changes the tally. `asked` is None for a call that asks no
    model; such a call takes nothing from the day's budget."""

    __slots__ = ("asked", "changed", "frames", "minute", "note_id", "tally")

    def __init__(self, changed: Callable[[Tally], None], tally: Tally, minute: Minute, asked: Estimate | None) -> None:
        self.changed, self.tally, self.minute, self.asked, self.frames = changed, tally, minute, asked, 0
        self.note_id: Callable[[str], None] | None = None  # gets the id of the response that Azure stores
        minute.requests += 1
        if asked:
            minute.tokens += asked.total
            tally.own.open_requests += 1
            tally.own.reserved_tokens += asked.total

    def watching(self, read: Callable[[bytes], None], coded: bool) -> Callable[[bytes], None]:
        """A reader of a stream's chunks: `read`, or one that counts events and notes the id before it calls `read`."""

        def seen(chunk: bytes) -> None:
            self.frames += chunk.count(FRAME_END)
            if self.note_id and (found := RESPONSE_ID.search(chunk, 0, HEAD_BYTES)):
                self.note_stored(found[1].decode())  # other calls may use the response while it streams
            read(chunk)

        return seen if coded or self.note_id else read

    def note_stored(self, response_id: str) -> None:
        if self.note_id:
            self.note_id(response_id)
            self.note_id = None

    def headers(self, status: int) -> list[tuple[bytes, bytes]]:
        """An answer's headers: the day's tokens left before this call, and on Azure's 429 that the limit is Azure's."""
        most = self.tally.key.tokens_a_day
        told = [] if most is None else [(b"x-proxy-tokens-left", b"%d" % max(0, most - self.tally.used["tokens"]))]
        return [*told, (WHOSE, b"azure")] if status == 429 else told

    def settle(self, fields: Fields, excerpt: Excerpt | None = None) -> None:
        """Ends the call. `fields` has what Azure told; this estimates the rest and adds it to `fields`. A second call
        of this method does nothing."""
        if self.asked:
            self.pay(used(fields, self.asked, lambda: self.events(excerpt, fields.bytes_out or 0)))

    def events(self, excerpt: Excerpt | None, size: int) -> int:
        return self.frames or (frames_of(excerpt, size) if excerpt else 0)

    def pay(self, taken: Counts) -> None:
        asked, self.asked = self.asked, None
        if asked:
            self.minute.tokens += taken.total_tokens - asked.total
            self.tally.own.open_requests -= 1
            self.tally.own.reserved_tokens -= asked.total
            self.tally.own.add(taken)
            self.changed(self.tally)

    def __del__(self) -> None:
        """Settles a call that was cut off: its reservation must not last until midnight."""
        if self.asked:
            self.pay(
                Counts(
                    requests=1, input_tokens=self.asked.input_tokens, total_tokens=self.asked.input_tokens, estimated=1
                )
            )
