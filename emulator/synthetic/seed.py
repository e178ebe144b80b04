"""Derives the random-looking parts of an answer from the request, so that each run writes the same file."""

import hashlib
import string
import struct
from datetime import UTC, datetime
from typing import NamedTuple

WRITTEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CREATED = int(WRITTEN.timestamp())  # Unix seconds; every synthetic answer is this old
LETTERS = string.ascii_letters + string.digits
PAIRS = [low + high for high in LETTERS for low in LETTERS]  # the digits of a number, the low one first
POWERS = [len(LETTERS) ** digits for digits in range(44)]  # one digit more than a digest has


class Seed(NamedTuple):
    """A source of ids in Azure's shapes. `name` distinguishes the ids of one answer."""

    text: str

    def number(self, name: str, below: int) -> int:
        return int.from_bytes(self._digest(name), "big") % below

    def numbers(self, name: str, count: int) -> list[int]:
        """So many numbers below 65,536."""
        drawn = hashlib.shake_128(f"{self.text}\n{name}".encode()).digest(2 * count)
        return list(struct.unpack(f"<{count}H", drawn))

    def letters(self, name: str, length: int) -> str:
        number, digits = int.from_bytes(self._digest(name), "big"), list[str]()
        number %= POWERS[length]  # short numbers are quick to divide
        for _ in range(0, length, 2):
            number, digit = divmod(number, len(PAIRS))
            digits.append(PAIRS[digit])
        return "".join(digits)[:length]

    def uuid(self, name: str) -> str:
        """Of version 4 (RFC 9562, section 5.4)."""
        digits = self._digest(name).hex()
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"

    def response_id(self, prefix: str, name: str = "") -> str:
        """An id. All ids of one response share 16 digits at the beginning; the response's time follows in 8 digits."""
        shared, own = self._digest("response").hex()[:16], self._digest(f"{prefix} {name}").hex()[:24]
        return f"{prefix}_{shared}00{CREATED:08x}{own}"

    def _digest(self, name: str) -> bytes:
        return hashlib.blake2b(f"{self.text}\n{name}".encode(), digest_size=32).digest()
