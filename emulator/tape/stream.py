"""How a recorded body leaves: a stream frame by frame on its recorded schedule, every other body in one piece."""

from typing import NamedTuple

from .cassette import Response


class Piece(NamedTuple):
    """Bytes that leave together, and their time in seconds after the headers, or 0 when unknown."""

    at: float
    data: bytes


def pieces(response: Response) -> list[Piece]:
    """The body in the pieces in which it leaves."""
    frames = response.frames()
    known = len(response.frame_at_ms) == len(frames)
    times = response.frame_at_ms if known else (0.0,) * len(frames)
    return [Piece(ms / 1000, frame) for ms, frame in zip(times, frames, strict=True)]
