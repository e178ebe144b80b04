"""What may vary inside a text: the patterns that have a name, and regular expressions of one's own.

Those with a name take time in proportion to the text. One's own are the `regex` package's, which stops at a time limit;
they are tried out first, so that one that takes too long, or takes everything, is refused where it is written.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

LONGEST = 200  # characters of an own expression
TRIAL_SECONDS, MATCH_SECONDS = 0.25, 0.1  # of an own one on all trials; on one request
LEAST_LEFT = 0.5  # of a trial's letters and digits

# Each begins with a set of characters, by which `re` finds the next place to look at; what may not stand before it is
# looked for after its first character.
_DATE = r"\d(?<!\d\d)\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[0-2](?<![\d:]\d)\d(?<!2[4-9]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?![\d:])"
_UUID = r"[\da-fA-F](?<![\da-fA-F-][\da-fA-F])[\da-fA-F]{7}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}(?![\da-fA-F-])"
_SECONDS = r"\d(?<![\d.]\d)\d{0,11}(?:\.\d{1,9})? ?(?:seconds|second|secs|sec|s)\b"

NAMED = {  # name: its expression, a character that it needs, how often, a text that it matches; the longer ones first
    "timestamp": (rf"{_DATE}[T ]{_TIME}", ":", 1, "2001-02-03T04:05:06Z"),
    "date": (rf"{_DATE}(?!\d)", "-", 2, "2001-02-03"),
    "time": (_TIME, ":", 1, "04:05:06"),
    "uuid": (_UUID, "-", 4, "00000000-0000-4000-8000-000000000007"),
    "seconds": (_SECONDS, "s", 1, "7 seconds"),
}
TRIALS = (  # texts of which no pattern takes most
    "Write a short story about a lighthouse keeper who repairs 3 clocks, please.",
    "Какая сегодня погода в Осло, и во сколько заходит солнце?",
    "日本語で短い物語を書いてください。主人公は灯台守です。",
    '{"city": "Oslo", "days": 14, "units": ["celsius", "km"]}',
)
UNITS, REPEATED, LETTERS = ("a", "0", " ", "a0", "a ", "-", "x\n"), 600, 8  # of what a slow one is slow on


class PatternError(ValueError):
    """What is wrong with a pattern, and what to write."""


class TooSlow(Exception):
    """An own expression took longer than MATCH_SECONDS."""


@dataclass(frozen=True)
class Pattern:
    """`name` is as it was written: a name, or an expression between slashes."""

    name: str

    @property
    def example(self) -> str | None:
        """A text that it matches, where one is known."""
        return NAMED[self.name][-1] if self.name in NAMED else None

    def split(self, text: str, until: float) -> list[str]:
        """The text between the places where it matches at least one character; the text alone where it does not. Raises
        TooSlow when the clock (time.monotonic) is past `until`."""
        return self._split(text, until)

    @cached_property
    def _split(self) -> Callable[[str, float], list[str]]:
        if self.name not in NAMED:
            return self._split_by_own
        expression, needed, times, _ = NAMED[self.name]
        split = re.compile(expression, re.ASCII).split
        return lambda text, _: split(text) if text.count(needed) >= times else [text]

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
        import regex  # 20 ms that nobody else needs to wait for

        return regex.compile(self.name[1:-1], regex.VERSION0)


def parse(text: str) -> Pattern:
    """Raises PatternError."""
    if text in NAMED:
        return Pattern(text)
    if len(text) < 3 or not (text.startswith("/") and text.endswith("/")):
        raise PatternError(f"what varies is any, {', '.join(NAMED)}, or an expression between slashes: /run-\\d+/")
    if len(text) > LONGEST:
        raise PatternError(f"an expression has at most {LONGEST} characters")
    pattern = Pattern(text)
    try:
        pattern.own  # noqa: B018
    except Exception as error:  # the package's own, and whatever its parser stumbles over
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
            f"{pattern.name} takes too long on some texts; repeat nothing that is repeated inside"
        ) from error
    if take_most([pattern]):
        raise PatternError(f"{pattern.name} would ignore most of any text; say more of what is around it")


def take_most(patterns: Iterable[Pattern]) -> bool:
    """Whether they leave less than half of some text's letters and digits."""
    return any(_left(patterns, text) < LEAST_LEFT for text in TRIALS)


def _slow_ones(expression: str) -> Iterator[str]:
    """Long runs that nearly match: each ends with what the expression may insist on."""
    letters = [*dict.fromkeys(filter(str.isalnum, expression))][:LETTERS]
    for unit in (*UNITS, *letters):
        yield unit * (REPEATED // len(unit)) + "!" + "".join(letters)


def _left(patterns: Iterable[Pattern], text: str) -> float:
    """The share of its letters and digits."""
    until, pieces = time.monotonic() + TRIAL_SECONDS, [text]
    for pattern in patterns:
        pieces = [part for piece in pieces for part in pattern.split(piece, until)]
    return sum(map(str.isalnum, "".join(pieces))) / sum(map(str.isalnum, text))
