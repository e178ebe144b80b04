"""What bytes of sound and pictures say of themselves in their first bytes: a kind, a length, a size."""

import re
import struct
from typing import NamedTuple

SIGNATURES = (  # the names are those of OpenAI's formats; IANA's media types and the formats' own documents
    ("wav", re.compile(rb"RIFF....WAVE", re.DOTALL)),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("flac", re.compile(rb"fLaC")),
    ("opus", re.compile(rb"OggS.{24}(?:.{1,255})?OpusHead", re.DOTALL)),
    ("ogg", re.compile(rb"OggS")),
    ("aac", re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")),  # ADTS
    ("mp3", re.compile(rb"ID3[\x02-\x04]|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]")),
    ("mp4", re.compile(rb"....ftyp", re.DOTALL)),
    ("webm", re.compile(rb"\x1a\x45\xdf\xa3")),
)


class Media(NamedTuple):
    """`kind` is "" for bytes of no known kind. `seconds` is known of WAV, `size` (width and height) of PNG."""

    kind: str
    size_bytes: int
    seconds: float | None = None
    size: tuple[int, int] | None = None

    def __str__(self) -> str:
        told = [self.kind.upper() or "data"]
        told += [f"{self.seconds:.2f} s"] if self.seconds is not None else []
        told += ["{} x {}".format(*self.size)] if self.size else []
        return ", ".join([*told, f"{self.size_bytes:,} bytes"])


def media_of(data: bytes) -> Media:
    kind = next((name for name, signature in SIGNATURES if signature.match(data)), "")
    return Media(kind, len(data), _seconds(data) if kind == "wav" else None, _size(data) if kind == "png" else None)


def _seconds(wav: bytes) -> float | None:
    """None where the bytes break off before the sound."""
    at, rate = 12, 0
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        at += 8
        if name == b"fmt " and at + 12 <= len(wav):
            (rate,) = struct.unpack_from("<I", wav, at + 8)  # bytes a second
        if name == b"data":
            return min(size, len(wav) - at) / rate if rate else None
        at += size + size % 2
    return None


def _size(png: bytes) -> tuple[int, int] | None:
    if len(png) < 24:
        return None
    width, height = struct.unpack_from(">II", png, 16)
    return width, height
