"""How streams of the two APIs end. A stream that stops early raises nothing in any client: somebody must notice."""

import re

from .excerpt import HEAD_BYTES, STREAM_TAIL_BYTES, Excerpt

DONE = re.compile(rb"(?:^|[\r\n])data: ?\[DONE\]")
ERROR = re.compile(rb'(?:^|[\r\n])(?:event: ?error[\r\n]|data: ?\{\s*"(?:type": ?"error"|error": ?[{"]))')
LAST_EVENT = re.compile(rb'"type": ?"response\.(?:completed|failed|incomplete|cancelled)"')
LONGEST_MARK = 40  # bytes of the longest of them
EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")

MARKS = {"chat/completions": DONE, "responses": LAST_EVENT, "responses/{response_id}": LAST_EVENT}


class Ending:
    """Sees a stream go by, `add` by `add`. Chat's `[DONE]` stands at the very end, where the excerpt has it. The last
    event of the Responses API repeats the whole answer after its name, so that is looked for in every chunk and over
    the cuts between them; the excerpt then begins with it."""

    def __init__(self, route: str, resumed: bool) -> None:
        self.mark, self.resumed = MARKS.get(route), resumed
        self.excerpt = Excerpt(STREAM_TAIL_BYTES, 0 if self.mark is DONE else HEAD_BYTES) if self.mark else Excerpt()
        self.last_event, self.seam = False, b""
        self.add = self.watch if self.mark is LAST_EVENT else self.excerpt.add

    def watch(self, chunk: bytes) -> None:
        seen = self.seam + chunk
        if found := LAST_EVENT.search(seen):
            self.last_event = True
            self.excerpt.begin_again(seen[found.start() :])
        else:
            self.excerpt.add(chunk)
        self.seam = seen[-LONGEST_MARK:]

    @property
    def between_events(self) -> bool:
        return not self.excerpt.tail or self.excerpt.tail.endswith(EVENT_ENDS)

    @property
    def reached(self) -> bool:
        """Whether the stream may end here: no mark is known for it, or it came, or an error said why it does not."""
        if self.mark is None or (self.resumed and not self.excerpt.tail):
            return True  # a stream taken up again after its last event has none left
        tail = self.excerpt.tail
        if self.mark is DONE and DONE.search(tail, max(0, tail.rfind(b"[DONE]") - LONGEST_MARK)):
            return True
        return self.between_events and bool(self.last_event or ERROR.search(tail))
