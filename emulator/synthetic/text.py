"""Text in Azure's two layouts of JSON, and in the pieces of a stream."""

import json
import re
from typing import Any

FIRST_FRAME_MS = 300  # gpt-4o-mini begins after about so long
FRAME_MS = 25  # and to go on


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PIECE = re.compile(r" ?[^\W\d_]{1,9}|\d{1,3}| ?[^\w\s]{1,2}|\s|_")


def compact(value: Any) -> str:
    return _encode(value)


def pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def pieces(text: str) -> list[str]:
    """The text in pieces about the size of tokens. Joined, they are the text."""
    return _PIECE.findall(text)


def schedule(frames: int) -> tuple[int, ...]:
    """The time at which each frame of a stream leaves, in milliseconds after the headers."""
    return tuple(FIRST_FRAME_MS + FRAME_MS * number for number in range(frames))
