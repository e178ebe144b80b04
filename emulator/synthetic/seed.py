"""Derives the random-looking parts of an answer from the request, so that each run writes the same file."""

import hashlib
import string
import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

WRITTEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CREATED = int(WRITTEN.timestamp())  # Unix seconds; every synthetic answer is this old
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Seed:
    """A source of ids in Azure's shapes. `name` distinguishes the ids of one answer."""

    text: str

    def number(self, name: str, below: int) -> int:
        return int.from_bytes(self._digest(name), "big") % below

    def numbers(self, name: str, count: int) -> list[int]:
        """So many numbers below 65,536."""
        drawn = hashlib.shake_128(f"{self.text}\n{name}".encode()).digest(2 * count)
        return list(struct.unpack(f"<{count}H", drawn))

    def letters(self, name: str, length: int) -> str:
        digits, number = "", int.from_bytes(self._digest(name), "big")
        while len(digits) < length:
            number, digit = divmod(number, len(LETTERS))
            digits += LETTERS[digit]
        return digits

    def uuid(self, name: str) -> str:
        return str(uuid.UUID(bytes=self._digest(name)[:16], version=4))

    def response_id(self, prefix: str, name: str = "") -> str:
        """An id. All ids of one response share 16 digits at the beginning; the response's time follows in 8 digits."""
        shared, own = self._digest("response").hex()[:16], self._digest(f"{prefix} {name}").hex()[:24]
        return f"{prefix}_{shared}00{CREATED:08x}{own}"

    def _digest(self, name: str) -> bytes:
        return hashlib.blake2b(f"{self.text}\n{name}".encode(), digest_size=32).digest()
