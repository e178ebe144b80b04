"""Holds what one call has reserved until the call is over, and then counts what it took."""

import re
from collections.abc import Callable

from .estimate import FRAME_END, Estimate, frames_of, guessed
from .excerpt import Excerpt
from .fields import Fields
from .tally import Counts, Minute, Tally

RESPONSE_ID = re.compile(rb'"id"\s*:\s*"(resp_[A-Za-z0-9_-]{1,256})"')
HEAD_BYTES = 4_096  # of a chunk; the id comes before anything that a caller chooses
WHOSE = b"x-proxy-limit-of"  # on each 429: `key` for the key's own limit, `azure` for the limit that all share


class Charge:
    """Budgets.reserve makes it. It calls `changed` when it changes the tally. `asked` is None for a call that asks no
    model; such a call takes nothing from the day's budget."""

    __slots__ = ("asked", "changed", "frames", "minute", "note_id", "noted", "reserved", "tally")

    def __init__(self, changed: Callable[[Tally], None], tally: Tally, minute: Minute, asked: Estimate | None) -> None:
        self.changed, self.tally, self.minute, self.asked, self.frames = changed, tally, minute, asked, 0
        self.note_id: Callable[[str, int], None] | None = None  # gets the id of a stored response, and its tokens
        self.noted = ""  # the id that a stream told
        self.reserved = asked.total if asked else 0
        minute.requests += 1
        if asked:
            minute.tokens += self.reserved
            tally.own.open_requests += 1
            tally.own.reserved_tokens += self.reserved

    def watching(self, read: Callable[[bytes], None], coded: bool) -> Callable[[bytes], None]:
        """A reader of a stream's chunks: `read`, or one that counts events and notes the id before it calls `read`."""

        def seen(chunk: bytes) -> None:
            self.frames += chunk.count(FRAME_END)
            if self.note_id and not self.noted and (found := RESPONSE_ID.search(chunk, 0, HEAD_BYTES)):
                self.noted = found[1].decode()
                self.note_id(self.noted, 0)  # other calls may use the response while it streams
            read(chunk)

        return seen if coded or self.note_id else read

    def headers(self, status: int) -> list[tuple[bytes, bytes]]:
        """An answer's headers: the day's tokens left before this call, and on Azure's 429 that the limit is Azure's."""
        most = self.tally.key.tokens_a_day
        told = [] if most is None else [(b"x-proxy-tokens-left", b"%d" % max(0, most - self.tally.used_tokens))]
        if status == 429:
            told.append((WHOSE, b"azure"))
        return told

    def settle(self, fields: Fields, excerpt: Excerpt | None = None, response_id: str | None = None) -> None:
        """Ends the call. `fields` has what Azure told; this estimates the rest and adds it to `fields`. A second call
        of this method does nothing."""
        if self.asked:
            if fields.outcome == "complete" and fields.total_tokens is not None and (fields.status or 500) < 400:
                taken = Counts(1, fields.input_tokens or 0, fields.output_tokens or 0, fields.total_tokens)
            else:
                taken = guessed(fields, self.asked, lambda: self.events(excerpt, fields.bytes_out or 0))
            self.pay(taken)
        if self.note_id and (stored := self.noted or response_id):
            self.note_id(stored, fields.total_tokens or 0)

    def events(self, excerpt: Excerpt | None, size: int) -> int:
        return self.frames or (frames_of(excerpt, size) if excerpt else 0)

    def drop(self) -> None:
        """Ends a call that the proxy refuses. It counts in the minute alone."""
        self.pay(Counts())

    def pay(self, taken: Counts) -> None:
        asked, self.asked = self.asked, None
        if asked:
            self.minute.tokens += taken.total_tokens - self.reserved
            taken.open_requests, taken.reserved_tokens = -1, -self.reserved
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
