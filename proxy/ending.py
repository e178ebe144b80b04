"""How streams of the two APIs end. No client notices a stream that stops early, so the proxy must."""

import re
from collections.abc import Callable

from .excerpt import STREAM_TAIL_BYTES, Excerpt

DONE = re.compile(rb"(?:^|[\r\n])data: ?\[DONE\]")
GOES_ON, FINISHES = b'"finish_reason":null', b'"finish_reason":"'
ERROR = re.compile(rb'(?:^|[\r\n])(?:event: ?error[\r\n]|data: ?\{\s*"(?:type": ?"error"|error": ?[{"]))')
LAST_EVENT = re.compile(rb'"type": ?"response\.(?:completed|failed|incomplete|cancelled)"')
LONGEST_MARK = 40  # bytes; no pattern above matches more
EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


class Ending:
    """Watches an answer, chunk by chunk, and keeps an `excerpt` for the record. This answer may end anywhere."""

    __slots__ = ("excerpt",)
    is_marked = False

    def __init__(self, excerpt: Excerpt | None = None) -> None:
        self.excerpt = excerpt or Excerpt()

    def add(self, chunk: bytes) -> None:
        self.excerpt.add(chunk)

    @property
    def between_events(self) -> bool:
        return not self.excerpt.tail or self.excerpt.tail.endswith(EVENT_ENDS)

    @property
    def failed(self) -> bool:
        """Whether the stream ended with an error event."""
        return self.between_events and bool(ERROR.search(self.excerpt.tail))

    @property
    def reached(self) -> bool:
        """Whether the answer may end here."""
        return True


class ChatEnding(Ending):
    """A chat completion ends with `[DONE]`. Until then the excerpt needs only the last event."""

    __slots__ = ()
    is_marked = True

    def __init__(self) -> None:
        super().__init__(Excerpt(STREAM_TAIL_BYTES, head_bytes=0))

    def add(self, chunk: bytes) -> None:
        tail = self.excerpt.tail
        if GOES_ON in chunk and len(chunk) < STREAM_TAIL_BYTES and tail[-2:] == b"\n\n" and FINISHES not in tail:
            self.excerpt.tail = chunk
        else:
            self.excerpt.add(chunk)

    @property
    def reached(self) -> bool:
        tail = self.excerpt.tail
        return bool(DONE.search(tail, max(0, tail.rfind(b"[DONE]") - LONGEST_MARK))) or self.failed


class ResponseEnding(Ending):
    """A Response ends with an event that repeats the whole answer after its name. `add` looks for this name in every
    chunk and across chunks; the excerpt then begins with it. A stream `resumed` after that event is empty.
    """

    is_marked = True

    def __init__(self, resumed: bool) -> None:
        super().__init__(Excerpt(STREAM_TAIL_BYTES))
        self.resumed, self.last_event, self.seam = resumed, False, b""

    def add(self, chunk: bytes) -> None:
        seen = self.seam + chunk
        if found := LAST_EVENT.search(seen):
            self.last_event = True
            self.excerpt.begin_again(seen[found.start() :])
        else:
            self.excerpt.add(chunk)
        self.seam = seen[-LONGEST_MARK:]

    @property
    def reached(self) -> bool:
        nothing_left = self.resumed and not self.excerpt.tail
        return nothing_left or (self.last_event and self.between_events) or self.failed


ENDINGS: dict[str, Callable[[], Ending]] = {  # route: the ending of its streams
    "chat/completions": ChatEnding,
    "responses": lambda: ResponseEnding(resumed=False),
    "responses/{response_id}": lambda: ResponseEnding(resumed=True),
}
