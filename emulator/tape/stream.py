"""How a recorded body leaves: SSE frame by frame, on the recorded schedule; everything else in one piece."""

import re
from dataclasses import dataclass

from .cassette import Response

_FRAME = re.compile(rb".+?(?:\r?\n\r?\n|\Z)", re.DOTALL)  # a frame ends with an empty line (WHATWG HTML, section 9.2)


@dataclass(frozen=True)
class Piece:
    """Bytes that leave together, and when: seconds after the headers."""

    at: float
    data: bytes


def pieces(response: Response, time_scale: float) -> list[Piece]:
    """The body in the pieces in which it leaves. `time_scale` is how many times faster than recorded; 0: at once."""
    if not response.is_stream:
        return [Piece(0.0, response.body)]
    frames = _FRAME.findall(response.body)
    times = (
        response.frame_at_ms if time_scale > 0 and len(response.frame_at_ms) == len(frames) else (0.0,) * len(frames)
    )
    return [Piece(ms / 1000 / (time_scale or 1), frame) for ms, frame in zip(times, frames, strict=True)]
