"""Patterns of the parts of a text that may vary: named patterns, and the user's own regular expressions.

A named pattern takes time in proportion to the text. The `regex` package runs the user's own expressions, because it
stops at a time limit. `parse` tries each of them out, and refuses one that is too slow or matches almost everything.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

LONGEST = 200  # characters of a user's expression
TRIAL_SECONDS, MATCH_SECONDS = 0.25, 0.1  # that a user's expression may take: on all trials; on one request
LEAST_LEFT = 0.5  # the share of a trial's letters and digits that a pattern must leave

# Each expression begins with a set of characters, as `re` skips fast to the next of them. So the lookbehind stands
# after the first character.
_DATE = r"\d(?<!\d\d)\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[0-2](?<![\d:]\d)\d(?<!2[4-9]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?![\d:])"
_UUID = r"[\da-fA-F](?<![\da-fA-F-][\da-fA-F])[\da-fA-F]{7}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}(?![\da-fA-F-])"
_SECONDS = r"\d(?<![\d.]\d)\d{0,11}(?:\.\d{1,9})? ?(?:seconds|second|secs|sec|s)\b"

Needs = Callable[[str], bool]


def _has(character: str, times: int = 1) -> Needs:
    return lambda text: text.count(character) >= times


def _has_digit(text: str) -> bool:
    return any(map(text.__contains__, "0123456789"))  # a fifth of an expression's time


NAMED: dict[str, tuple[str, Needs, str]] = {  # name: its expression, what a text needs for it, one that it matches
    "timestamp": (rf"{_DATE}[T ]{_TIME}", _has(":"), "2001-02-03T04:05:06Z"),  # longer matches first
    "date": (rf"{_DATE}(?!\d)", _has("-", 2), "2001-02-03"),
    "time": (_TIME, _has(":"), "04:05:06"),
    "uuid": (_UUID, _has("-", 4), "00000000-0000-4000-8000-000000000007"),
    "seconds": (_SECONDS, _has_digit, "7 seconds"),
}
TRIALS = (  # texts of which a pattern must leave at least LEAST_LEFT
    "Write a short story about a lighthouse keeper who repairs 3 clocks, please.",
    "Какая сегодня погода в Осло, и во сколько заходит солнце?",
    "日本語で短い物語を書いてください。主人公は灯台守です。",
    '{"city": "Oslo", "days": 14, "units": ["celsius", "km"]}',
)
UNITS, REPEATED, LETTERS = ("a", "0", " ", "a0", "a ", "-", "x\n"), 600, 8  # of the texts that show a slow expression


class PatternError(ValueError):
    """The message says what is wrong with the pattern, and what to write."""


class TooSlow(Exception):
    """A user's expression took longer than MATCH_SECONDS."""


@dataclass(frozen=True)
class Pattern:
    """`name` is what the user wrote: a name, or an expression between slashes."""

    name: str

    @property
    def example(self) -> str | None:
        """A text that a named pattern matches; None for a user's expression."""
        return NAMED[self.name][-1] if self.name in NAMED else None

    def split(self, text: str, until: float) -> list[str]:
        """The pieces of the text between the matches; [text] where nothing matches. Empty matches do not count. Raises
        TooSlow when time.monotonic() is past `until`."""
        return self._split(text, until)

    @cached_property
    def may_match(self) -> Needs:
        """Quickly False for most of the texts in which it matches nothing."""
        return NAMED[self.name][1] if self.name in NAMED else bool

    @cached_property
    def _split(self) -> Callable[[str, float], list[str]]:
        if self.name not in NAMED:
            return self._split_by_own
        split = re.compile(NAMED[self.name][0], re.ASCII).split
        return lambda text, _: split(text)

    def _split_by_own(self, text: str, until: float) -> list[str]:
        parts, at = list[str](), 0
        try:
            for found in self.own.finditer(text, timeout=max(until - time.monotonic(), 1e-6)):
                if found.end() > found.start():
                    parts.append(text[at : found.start()])
                    at = found.end()
        except TimeoutError as error:
            raise TooSlow(f"{self.name} takes more than {1000 * MATCH_SECONDS:g} ms on this request") from error
        return [*parts, text[at:]]

    @cached_property
    def own(self) -> Any:
        import regex  # takes 20 ms, which only a user's expression should cost

        return regex.compile(self.name[1:-1], regex.VERSION0)


def parse(text: str) -> Pattern:
    """Raises PatternError."""
    if text in NAMED:
        return Pattern(text)
    if len(text) < 3 or not (text.startswith("/") and text.endswith("/")):
        raise PatternError(f"write any, {', '.join(NAMED)}, or an expression between slashes, as in /run-\\d+/")
    if len(text) > LONGEST:
        raise PatternError(f"an expression may have at most {LONGEST} characters")
    pattern = Pattern(text)
    try:
        pattern.own  # noqa: B018
    except Exception as error:  # regex.error, and whatever its parser raises besides
        raise PatternError(f"{text} is no regular expression ({error})") from error
    _try_out(pattern)
    return pattern


def _try_out(pattern: Pattern) -> None:
    until = time.monotonic() + TRIAL_SECONDS
    try:
        for text in _slow_ones(pattern.name):
            pattern.split(text, until)
    except TooSlow as error:
        raise PatternError(
            f"{pattern.name} takes too long on some texts; put no repetition inside another one"
        ) from error
    if take_most([pattern]):
        raise PatternError(f"{pattern.name} would ignore most of any text; add the text around the part that varies")


def take_most(patterns: Iterable[Pattern]) -> bool:
    """Whether the patterns together leave less than LEAST_LEFT of some trial's letters and digits."""
    return any(_left(patterns, text) < LEAST_LEFT for text in TRIALS)


def _slow_ones(expression: str) -> Iterator[str]:
    """Yields long texts that nearly match the expression. Each ends with the letters of the expression itself."""
    letters = [*dict.fromkeys(filter(str.isalnum, expression))][:LETTERS]
    for unit in (*UNITS, *letters):
        yield unit * (REPEATED // len(unit)) + "!" + "".join(letters)


def _left(patterns: Iterable[Pattern], text: str) -> float:
    """The share of the text's letters and digits that the patterns leave."""
    until, pieces = time.monotonic() + TRIAL_SECONDS, [text]
    for pattern in patterns:
        pieces = [part for piece in pieces for part in pattern.split(piece, until)]
    return sum(map(str.isalnum, "".join(pieces))) / sum(map(str.isalnum, text))
