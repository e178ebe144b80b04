"""Holds what one call has reserved until the call is over, and then counts what it took."""

import functools
import re
from collections.abc import Callable

from msgspec import Struct

from .estimate import FRAME_END, Estimate, frames_of, guessed
from .excerpt import Excerpt
from .fields import Fields
from .tally import Minute, Tally

RESPONSE_ID = re.compile(rb'"id"\s*:\s*"(resp_[A-Za-z0-9_-]{1,256})"')
HEAD_BYTES = 4_096  # of a chunk; the id comes before anything that a caller chooses
WHOSE = b"x-proxy-limit-of"  # on each 429: `key` for the key's own limit, `azure` for the limit that all share


class Charge(Struct, eq=False, gc=False):  # nothing that it holds refers to it
    """Budgets.reserve makes it, and has counted the `reserved` tokens. It calls `changed` when it changes the tally.
    `asked` is None for a call that asks no model; such a call takes nothing from the day's budget."""

    changed: Callable[[Tally], None]
    tally: Tally
    minute: Minute
    asked: Estimate | None = None
    reserved: int = 0
    frames: int = 0
    note_id: Callable[[str, int], None] | None = None  # gets the id of a stored response, and its tokens
    noted: str = ""  # the id that a stream told

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
        tally = self.tally
        most = tally.key.tokens_a_day
        told = [] if most is None else [(b"x-proxy-tokens-left", b"%d" % max(0, most - tally.used_tokens()))]
        if status == 429:
            told.append((WHOSE, b"azure"))
        return told

    def settle(self, fields: Fields, excerpt: Excerpt | None = None, response_id: str | None = None) -> None:
        """Ends the call. `fields` has what Azure told; this estimates the rest and adds it to `fields`. A second call
        of this method does nothing."""
        if self.asked:
            if fields.outcome == "complete" and fields.total_tokens is not None and (fields.status or 500) < 400:
                self.pay(1, fields.input_tokens or 0, fields.output_tokens or 0, fields.total_tokens)
            else:
                events = functools.partial(self.events, excerpt, fields.bytes_out or 0)
                self.pay(*guessed(fields, self.asked, events))
        if self.note_id and (stored := self.noted or response_id):
            self.note_id(stored, fields.total_tokens or 0)

    def events(self, excerpt: Excerpt | None, size: int) -> int:
        return self.frames or (frames_of(excerpt, size) if excerpt else 0)

    def drop(self) -> None:
        """Ends a call that the proxy refuses. It counts in the minute alone."""
        if self.asked:
            self.pay(0, 0, 0, 0)

    def pay(self, requests: int, inputs: int, outputs: int, total: int, estimated: int = 0) -> None:
        """Counts what the call took, in place of what it had reserved."""
        self.asked, own, reserved = None, self.tally.own, self.reserved
        self.minute.tokens += total - reserved
        own.requests += requests
        own.input_tokens += inputs
        own.output_tokens += outputs
        own.total_tokens += total
        own.estimated += estimated
        own.open_requests -= 1
        own.reserved_tokens -= reserved
        self.changed(self.tally)

    def __del__(self) -> None:
        """Settles a call that was cut off: its reservation must not last until midnight."""
        if self.asked:
            inputs = self.asked.input_tokens
            self.pay(1, inputs, 0, inputs, estimated=1)
