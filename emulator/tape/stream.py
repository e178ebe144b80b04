"""How a recorded body leaves: a stream frame by frame, on the recorded schedule; everything else in one piece."""

from dataclasses import dataclass

from .cassette import Response


@dataclass(frozen=True)
class Piece:
    """Bytes that leave together, and when: seconds after the headers."""

    at: float
    data: bytes


def pieces(response: Response, time_scale: float) -> list[Piece]:
    """The body in the pieces in which it leaves. `time_scale` is how many times faster than recorded; 0: at once."""
    frames = response.frames()
    known = time_scale > 0 and len(response.frame_at_ms) == len(frames)
    times = response.frame_at_ms if known else (0.0,) * len(frames)
    return [Piece(ms / 1000 / (time_scale or 1), frame) for ms, frame in zip(times, frames, strict=True)]
