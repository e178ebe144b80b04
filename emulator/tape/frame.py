"""The frames of a recorded stream, read as a client reads them (WHATWG HTML, section 9.2)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .cassette import Response, sse_frames

DONE = "[DONE]"
FIELDS = ("event", "data", "id", "retry", "")  # a line that begins with a colon is a comment

LINE_END = re.compile("\r\n|\n|\r")  # str.splitlines knows more, and U+2028 may stand in a JSON string


@dataclass(frozen=True)
class Frame:
    """`number` counts from 1. `event` and `data` are "" when the frame has none. `odd` has the lines with no field."""

    number: int
    event: str
    data: str
    odd: tuple[str, ...]


def frames(response: Response) -> Iterator[Frame]:
    for number, frame in enumerate(sse_frames(response.body), 1):
        yield frame_of(number, frame)


def frame_of(number: int, frame: bytes) -> Frame:
    lines = [line for line in LINE_END.split(frame.decode(errors="replace")) if line]
    fields = [(name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines)]
    return Frame(
        number,
        next((value for name, value in fields if name == "event"), ""),
        "\n".join(value for name, value in fields if name == "data"),
        tuple(line for line, (name, _) in zip(lines, fields, strict=True) if name not in FIELDS),
    )
