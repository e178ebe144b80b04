"""Writes JSON in Azure's two layouts, and cuts text into the pieces of a stream."""

import json
import re
from typing import Any

FIRST_FRAME_MS = 300  # about as long as gpt-4o-mini takes to begin
FRAME_MS = 25  # from one frame to the next


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PIECE = re.compile(r" ?[^\W\d_]{1,9}|\d{1,3}| ?[^\w\s]{1,2}|\s|_")


def compact(value: Any) -> str:
    return _encode(value)


def pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def pieces(text: str) -> list[str]:
    """The text, cut into pieces of about a token each."""
    return _PIECE.findall(text)


def schedule(frames: int) -> tuple[int, ...]:
    """When each frame of a stream leaves, in milliseconds after the headers."""
    return tuple(FIRST_FRAME_MS + FRAME_MS * number for number in range(frames))
