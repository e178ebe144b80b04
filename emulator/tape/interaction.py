"""A recorded request and its answer."""

import itertools
import re
from dataclasses import dataclass
from functools import cached_property

from .meaning import Meaning, meaning_of

Headers = tuple[tuple[str, str], ...]

COMPLETE = "complete"
OUTCOMES = {
    COMPLETE: "to its end",
    "reset": "the connection was reset (RST)",
    "truncated": "the connection was closed before the end of the body",
    "client_cancelled": "the client left; what it would have got is not known",
}
_FRAME = re.compile(rb".+?(?:\r?\n\r?\n|\Z)", re.DOTALL)  # a frame ends with an empty line (WHATWG HTML, section 9.2)


@dataclass(frozen=True)
class Request:
    method: str
    uri: str
    headers: Headers
    body: bytes

    @cached_property
    def meaning(self) -> Meaning | None:
        """None when the address is not one of Azure OpenAI's."""
        return meaning_of(self.method, self.uri, self.body)


@dataclass(frozen=True)
class Response:
    """A recorded answer. `frame_at_ms` has one entry per frame, or none when the timing is unknown. `frame_bytes` has
    the frames' lengths when `sse_frames` would cut the body elsewhere. `outcome` is one of OUTCOMES."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    frame_at_ms: tuple[float, ...] = ()
    frame_bytes: tuple[int, ...] = ()
    outcome: str = COMPLETE

    def header(self, name: str) -> str:
        """The first value of a name in small letters; "" where there is none."""
        for known, value in self.headers:
            if known.lower() == name:
                return value
        return ""

    @property
    def is_stream(self) -> bool:
        return self.header("content-type").startswith("text/event-stream")

    @property
    def is_played(self) -> bool:
        """Whether it is sound or another file, which a client may use while it arrives."""
        return self.header("content-type").startswith(("audio/", "application/octet-stream"))

    def frames(self) -> list[bytes]:
        """The body in its recorded pieces; in one piece when none are recorded."""
        if not self.frame_bytes:
            return sse_frames(self.body) if self.is_stream else [self.body]
        ends = list(itertools.accumulate(self.frame_bytes))
        return [self.body[end - size : end] for end, size in zip(ends, self.frame_bytes, strict=True)]


def sse_frames(body: bytes) -> list[bytes]:
    return _FRAME.findall(body)


@dataclass(frozen=True)
class Interaction:
    """One request and its answer. People know it by its `label`, such as `chat/story #2`."""

    request: Request
    response: Response
    label: str = ""
