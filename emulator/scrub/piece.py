"""The pieces of a message that are searched for secrets: texts as they are, and of sound and pictures what is readable.

Chance makes an e-mail address or a short key in a megabyte of sound, so a text is told from a file by what it says of
itself. A text that says that it is a file is searched as a text all the same.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..tape.coding import is_text
from ..tape.form import parts_of
from ..tape.interaction import Request, Response

FILES = re.compile(r"(?:audio|image|video)/|application/(?:octet-stream|ogg)\b", re.IGNORECASE)  # media types


class Piece(NamedTuple):
    """`within` names the part of a form, and is "" elsewhere. `text` is Latin-1, a character for a byte, and begins at
    `start` in the body. In a file no secret can be replaced, because its lengths and checksums would no longer fit."""

    within: str
    start: int
    text: str
    is_file: bool = False


def pieces(message: Request | Response) -> Iterator[Piece]:
    """All bytes of the body, in order."""
    body, end = message.body, 0
    for part in parts_of(body) if isinstance(message, Request) else ():
        yield _piece(body, f"{part.name} (headers)", end, part.start)
        yield _piece(body, part.name, part.start, part.end, is_file=part.filename is not None)
        end = part.end
    yield _piece(body, "", end, len(body), is_file=_is_file(message))


def _piece(body: bytes, within: str, start: int, end: int, is_file: bool = False) -> Piece:
    data = body[start:end]
    return Piece(within, start, data.decode("latin-1"), is_file and not is_text(data))


def _is_file(message: Request | Response) -> bool:
    return any(name.lower() == "content-type" and FILES.match(value) is not None for name, value in message.headers)
