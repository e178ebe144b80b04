"""Cyclic redundancy checks of sound: most significant bit first, from zero, and not inverted."""

import functools
from collections.abc import Sequence


def crc8(data: bytes) -> int:
    """Of FLAC's frame headers (RFC 9639, section 9.1.8)."""
    return _crc(data, 8, 0x07)


def crc16(data: bytes) -> int:
    """Of FLAC's frames (RFC 9639, section 9.3)."""
    return _crc(data, 16, 0x8005)


def crc32(data: bytes) -> int:
    """Of Ogg's pages (RFC 3533, section 6)."""
    return _crc(data, 32, 0x04C11DB7)


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    table, mask, crc = _table(bits, polynomial), (1 << bits) - 1, 0
    for byte in data:
        crc = (crc << 8 & mask) ^ table[(crc >> (bits - 8)) ^ byte]
    return crc


@functools.cache
def _table(bits: int, polynomial: int) -> Sequence[int]:
    return [
        functools.reduce(lambda crc, _: _shifted(crc, bits, polynomial), range(8), byte << (bits - 8))
        for byte in range(256)
    ]


def _shifted(crc: int, bits: int, polynomial: int) -> int:
    return (crc << 1 & (1 << bits) - 1) ^ (polynomial if crc >> (bits - 1) else 0)
