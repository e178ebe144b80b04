"""Dates and times as .NET's `DateTime.TryParse` reads them in its invariant culture: the documented forms.

.NET guesses at many more. This file reads the forms that .NET's documentation lists for the invariant culture, and
their variants with other separators, short years and names of months. It refuses all others, so it is never kinder.
"""

import re
from datetime import date

from .dotnet import WHITE_SPACE

MONTHS = ["january", "february", "march", "april", "may", "june"]
MONTHS += ["july", "august", "september", "october", "november", "december"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

SHAPES = {
    **{"nny": "mdy", "nnn": "mdy", "ynn": "ymd", "nn": "md", "ny": "my", "yn": "ym"},
    **{"nMy": "dmy", "nMn": "dmy", "Mny": "mdy", "Mnn": "mdy", "yMn": "ymd"},
    **{"nM": "dm", "Mn": "md", "My": "my", "yM": "ym"},
}
"""Which part of a date each number or name is. n: one or two digits, y: more digits, M: the name of a month."""

LEAP_YEAR = 2000  # for a day without a year
LATEST_SHORT_YEAR = 49  # of this century

_TIME = re.compile(
    r"(?:^|(?<=\d)T| +)(?=\d\d?(?::| *[AaPp][Mm]))"
    r"(?P<hour>\d\d?)(?::(?P<minute>\d\d?)(?::(?P<second>\d\d?)(?:\.\d+)?)?)?(?: *(?P<half>[AaPp])[Mm])?"
    r"(?:Z| ?GMT| ?[+-](?P<hours>\d\d?)(?::?(?P<minutes>\d\d))?)?$",
    re.ASCII,
)
_TOKENS = re.compile(r"(?:[0-9]+|[A-Za-z]+)(?:[ ,./-]+(?:[0-9]+|[A-Za-z]+))*")


def is_datetime(text: str) -> bool:
    """`2024-01-31`, `01/31/2024 10:20 PM`, `Wed, 31 Jan 2024 10:20:30 GMT`, `10:20`."""
    text = text.strip(WHITE_SPACE)
    if (time := _TIME.search(text)) is None:
        return _is_day(text)
    if not _is_time(time):
        return False
    return time.start() == 0 or _is_day(text[: time.start()])


def _is_time(found: re.Match[str]) -> bool:
    limits = {"hour": 12 if found["half"] in ("a", "A") else 23, "minute": 59, "second": 59, "hours": 14, "minutes": 59}
    if any(int(found[name] or 0) > limit for name, limit in limits.items()):
        return False
    return int(found["hours"] or 0) * 60 + int(found["minutes"] or 0) <= 14 * 60


def _is_day(text: str) -> bool:
    if _TOKENS.fullmatch(text) is None:
        return False
    tokens = re.findall("[0-9]+|[A-Za-z]+", text)
    weekday = _index(WEEKDAYS, tokens[0])
    day = _day(tokens if weekday is None else tokens[1:])
    return day is not None and weekday in (None, day.weekday())


def _day(tokens: list[str]) -> date | None:
    months = [_index(MONTHS, token) for token in tokens]
    shape = "".join(
        "M" if month is not None else "n" if len(token) <= 2 else "y"
        for token, month in zip(tokens, months, strict=True)
    )
    found = dict(zip(SHAPES.get(shape, ""), zip(tokens, months, strict=True), strict=False))
    try:
        values = {part: int(token) if month is None else month + 1 for part, (token, month) in found.items()}
        year = values.get("y", LEAP_YEAR)
        if year < 100:
            year += 2000 if year <= LATEST_SHORT_YEAR else 1900
        return date(year, values["m"], values.get("d", 1))
    except (KeyError, ValueError):
        return None


def _index(names: list[str], token: str) -> int | None:
    """A name counts when it is whole, or cut to its first three letters."""
    token = token.lower()
    return next((i for i, name in enumerate(names) if token in (name, name[:3])), None)
