"""Texts as .NET reads them in its invariant culture: numbers, GUIDs, truth values, letters in any case.

Facts, from .NET's documentation of `NumberStyles`, `Guid.Parse` and `Boolean.Parse` and from its source. .NET accepts
white space round a value. Only ASCII digits count. A text is a sequence of UTF-16 code units, and an emoji has two.
"""

import re
from decimal import Decimal

INT32 = range(-(1 << 31), 1 << 31)
INT64 = range(-(1 << 63), 1 << 63)

DECIMAL_LIMIT = Decimal("79228162514264337593543950335.5")
"""A `decimal` overflows from this number on. A `double` becomes infinite instead."""

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

_W = r"[\t-\r ]*"  # round a number, only ASCII's white space counts
_INTEGER = re.compile(rf"{_W}([+-]?)0*([0-9]{{1,19}}){_W}")  # 19 digits are enough for 64 bits
_DIGITS = r"(?:[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)"
_FLOAT = re.compile(rf"{_W}[+-]?{_DIGITS}(?:[eE][+-]?[0-9]+)?{_W}")
_NOT_FINITE = re.compile("[+-]?(INFINITY|NAN)")
_DECIMAL = re.compile(rf"{_W}(?:[+-]{_DIGITS}{_W}|{_DIGITS}{_W}(?:[+-]{_W})?)")
_HEX = "[0-9a-fA-F]"
_DASHED = rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_GUID = re.compile(rf"{_HEX}{{32}}|{_DASHED}|\{{{_DASHED}\}}|\({_DASHED}\)")
_GUID_IN_PARTS = re.compile(
    r"\{0x0*_{1,8}(,0x0*_{1,4}){2},\{0x0*_{1,2}(,0x0*_{1,2}){7}\}\}".replace("_", _HEX).replace("x", "[xX]")
)
_CASELESS = "\u0131\u017f"  # these two have a capital that .NET's comparison ignores


def integer(text: str, bits: int) -> int | None:
    """The number, or None where .NET reads no number of at most so many bits."""
    if (found := _INTEGER.fullmatch(text)) is None:
        return None
    number = int(found[1] + found[2])
    return number if number in (INT32 if bits == 32 else INT64) else None


def is_float(text: str) -> bool:
    """Whether .NET reads a `double` or a `float`, such as `1,000.5e3`, `.5` or `Infinity`."""
    return _FLOAT.fullmatch(text) is not None or _NOT_FINITE.fullmatch(upper(text.strip(WHITE_SPACE))) is not None


def is_decimal(text: str) -> bool:
    if _DECIMAL.fullmatch(text) is None:
        return False
    return Decimal("".join(re.findall(r"[0-9.]", text))) < DECIMAL_LIMIT


def is_bool(text: str) -> bool:
    return upper(text.strip(WHITE_SPACE)) in ("TRUE", "FALSE")


def is_guid(text: str) -> bool:
    text = text.strip(WHITE_SPACE)
    if _GUID.fullmatch(text):
        return True
    return _GUID_IN_PARTS.fullmatch("".join(c for c in text if c not in WHITE_SPACE)) is not None


def length(text: str) -> int:
    """In UTF-16 code units."""
    return len(code_units(text))


def code_units(text: str) -> str:
    """The text with a surrogate pair in place of each character that takes two UTF-16 code units."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    data = text.encode("utf-16-be", "surrogatepass")
    return "".join(chr(high << 8 | low) for high, low in zip(data[::2], data[1::2], strict=True))


def upper(text: str) -> str:
    """The text in capitals, as long as before. Two texts that are equal in `OrdinalIgnoreCase` have the same result."""
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def _upper(character: str) -> str:
    capitals = (character.upper(), character.title()) if character not in _CASELESS else ()
    return next((capital for capital in capitals if len(capital) == 1), character)
