"""A picture that shows a text, as large as it fits: PNG of two colours (W3C, "Portable Network Graphics")."""

import struct
import textwrap
import zlib

from .font import DOTS, ROWS, plain, row_of

MOST_CHARACTERS = 200
WIDTH, HEIGHT = DOTS + 1, ROWS + 2  # of a letter with the gap after it
MARGIN = 2  # letters, of a line and of a column
SHORTEST_LINE = 6  # letters

Colour = tuple[int, int, int]  # red, green, blue, each below 256


def picture(text: str, width: int, height: int, ink: Colour, paper: Colour, is_clear: bool = False) -> bytes:
    """PNG. `width` and `height` are pixels. Where `is_clear`, the paper is transparent."""
    lines, scale = _fitted(plain(text)[:MOST_CHARACTERS], width, height)
    pixels = _pixels(lines, scale, width, height)
    clear = _chunk(b"tRNS", b"\0") if is_clear else b""
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes([*paper, *ink])),
            clear,
            _chunk(b"IDAT", zlib.compress(pixels, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _fitted(text: str, width: int, height: int) -> tuple[list[str], int]:
    """The lines, and the pixels of a dot. What does not fit at one pixel is left out."""
    for scale in range(max(1, width // (WIDTH * (SHORTEST_LINE + MARGIN))), 0, -1):
        letters, rows = width // (WIDTH * scale) - MARGIN, height // (HEIGHT * scale) - MARGIN
        lines = textwrap.wrap(text, max(1, letters))
        if len(lines) <= rows and all(len(word) <= letters for word in text.split()):
            return lines, scale
    return textwrap.wrap(text, max(1, width // WIDTH - MARGIN))[: max(0, height // HEIGHT - MARGIN)], 1


def _pixels(lines: list[str], scale: int, width: int, height: int) -> bytes:
    """The rows of the picture from the top, each after its filter, which is none: eight pixels a byte."""
    blank = bytes(1 + -(-width // 8))
    rows = [blank] * ((height - len(lines) * HEIGHT * scale) // 2)
    for line in lines:
        for number in range(ROWS):
            dots = row_of(line, number).translate({ord("0"): "0" * scale, ord("1"): "1" * scale})
            rows += [b"\0" + _packed(dots.center(width, "0")[:width])] * scale
        rows += [blank] * ((HEIGHT - ROWS) * scale)
    return b"".join([*rows, *[blank] * (height - len(rows))][:height])


def _packed(dots: str) -> bytes:
    size = -(-len(dots) // 8)
    return int(dots.ljust(8 * size, "0") or "0", 2).to_bytes(size)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
