"""How streams end. No client notices a stream that stops early, so the proxy must."""

import functools
import re
from collections.abc import Callable

from .excerpt import STREAM_TAIL_BYTES, Excerpt
from .media import CONTAINER_FILE

DONE = re.compile(rb"(?:^|[\r\n])data: ?\[DONE\]")
GOES_ON, FINISHES = b'"finish_reason":null', b'"finish_reason":"'
ERROR = re.compile(rb'(?:^|[\r\n])(?:event: ?error[\r\n]|data: ?\{\s*"(?:type": ?"error"|error": ?[{"]))')
LAST_EVENTS = {  # route: the names of the last event of its streams
    "responses": rb"response\.(?:completed|failed|incomplete|cancelled)",
    "audio/speech": rb"speech\.audio\.done",
    "audio/transcriptions": rb"transcript\.text\.done",
    "images/generations": rb"image_generation\.completed",
    "images/edits": rb"image_edit\.completed",
}
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
    def done(self) -> bool:
        """Whether the stream ended with `[DONE]`."""
        tail = self.excerpt.tail
        return bool(DONE.search(tail, max(0, tail.rfind(b"[DONE]") - LONGEST_MARK)))

    @property
    def reached(self) -> bool:
        """Whether the answer may end here."""
        return True


class Unread(Ending):
    """An answer that is no JSON, such as a sound, a text that somebody spoke, or a file. The record learns nothing from
    it, whatever words are in it."""

    def add(self, chunk: bytes) -> None:
        pass


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
        return self.done or self.failed


class EventEnding(Ending):
    """A stream that ends with a certain event; `[DONE]` may follow, or stand in its place. The event repeats the whole
    answer after its name, or holds an image of several megabytes. `add` looks for this name in every chunk and across
    chunks; the excerpt then begins with it, and forgets the middle of what follows. A stream `resumed` after that event
    is empty.
    """

    is_marked = True

    def __init__(self, name: re.Pattern[bytes], resumed: bool = False) -> None:
        super().__init__(Excerpt(STREAM_TAIL_BYTES))
        self.name, self.resumed, self.last_event, self.seam = name, resumed, False, b""

    def add(self, chunk: bytes) -> None:
        seen = self.seam + chunk
        if found := self.name.search(seen):
            self.last_event = True
            self.excerpt.begin_again(seen[found.start() :])
        else:
            self.excerpt.add(chunk)
        self.seam = seen[-LONGEST_MARK:]

    @property
    def reached(self) -> bool:
        nothing_left = self.resumed and not self.excerpt.tail
        return nothing_left or (self.last_event and self.between_events) or self.done or self.failed


NAMES = {route: re.compile(rb'"type": ?"%s"' % name) for route, name in LAST_EVENTS.items()}
ENDINGS: dict[str, Callable[[], Ending]] = {  # route: the ending of its streams
    **{route: functools.partial(EventEnding, name) for route, name in NAMES.items()},
    "chat/completions": ChatEnding,
    "responses/{response_id}": functools.partial(EventEnding, NAMES["responses"], resumed=True),
}


def ending_of(route: str, status: int, kind: bytes, is_stream: bool, coded: bool) -> Ending:
    """`kind` is the answer's content type; `coded`: nobody here can read it."""
    if status < 400 and (route == CONTAINER_FILE or (kind and not is_stream and b"json" not in kind)):
        return Unread()
    return ENDINGS.get(route if is_stream and status == 200 and not coded else "", Ending)()
