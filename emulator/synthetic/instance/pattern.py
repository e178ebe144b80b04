"""Writes a text that matches a regular expression.

Python's own parser reads the expression, as in rstr and hypothesis. Both packages draw at random: hardly any text that
they draw for `^[a-z]+$` keeps a maximum length. This writer aims at a length.
"""

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import string
from collections.abc import Callable
from typing import Any

from ..seed import Seed
from .unsatisfiable import Unsatisfiable

TRIES = 60
LETTERS, DIGITS = string.ascii_lowercase, string.digits
DRAWN = LETTERS + string.ascii_uppercase + DIGITS + "_- .,:;!?@#$%&*+=/()[]{}<>'\"\\|~^`\t\n"  # readable first
CLASSES = {
    op.CATEGORY_DIGIT: DIGITS,
    op.CATEGORY_WORD: LETTERS + DIGITS,
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_NOT_DIGIT: LETTERS,
    op.CATEGORY_NOT_WORD: "-.:/ ",
    op.CATEGORY_NOT_SPACE: LETTERS + DIGITS,
}
WHOLE = {op.CATEGORY_DIGIT: r"\d", op.CATEGORY_WORD: r"\w", op.CATEGORY_SPACE: r"\s"}
NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")  # JavaScript writes (?<name>, Python (?P<name>


def text(pattern: str, seed: Seed, least: int = 0, most: int | None = None) -> str:
    """A text of `least` to `most` characters that matches the pattern. Raises Unsatisfiable for a pattern that Python
    cannot read, and where TRIES find no text, as for some lookaheads."""
    try:
        expression = re.compile(NAMED_GROUP.sub("(?P<", pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise Unsatisfiable(f"Python cannot read the pattern {pattern!r}: {error}") from None
    parsed = parser.parse(expression.pattern)
    if most is not None and parsed.getwidth()[0] > most:
        raise Unsatisfiable(f"the pattern {pattern!r} needs more than {most} characters")
    for attempt in range(TRIES):
        found = _Writer(seed, attempt, least, most).written(parsed)
        if len(found) < least:  # a pattern without `$` allows any end
            found += "x" * (least - len(found))
        if (most is None or len(found) <= most) and expression.search(found):
            return found
    length = f" and {least} to {most} characters" if most is not None else f" and {least} characters" if least else ""
    raise Unsatisfiable(f"the emulator found no text for the pattern {pattern!r}{length}")


class _Writer:
    """Writes the text of one attempt. The first attempt keeps the text short; later ones stretch it towards `least`."""

    def __init__(self, seed: Seed, attempt: int, least: int, most: int | None) -> None:
        self.seed, self.attempt, self.drawn = seed, attempt, 0
        self.least, self.room = least, most
        self.groups = dict[int, str]()
        self.length = 0

    def pick(self, choices: int) -> int:
        self.drawn += 1
        return self.seed.number(f"{self.attempt} {self.drawn}", choices)

    def written(self, parsed: Any) -> str:
        """The text of a part of the pattern. Earlier repetitions take more of the length than later ones."""
        return "".join(WRITE[code](self, value) for code, value in parsed)

    def repeated(self, value: tuple[int, int, Any]) -> str:
        least, most, inner = value
        more = self.pick(3 if least else 4) if self.attempt % 3 else 2
        if self.attempt % 2:  # this attempt stretches the text
            more += max(0, self.least - self.length - least) * (self.attempt // 2 % 3 + 1) // 2
        if self.attempt % 5 == 2 or (self.room is not None and self.length + least >= self.room):
            more = 0
        if self.room is not None:
            width = max(1, inner.getwidth()[0])
            more = min(more, max(0, (self.room - self.length) // width - least))
        return "".join(self.written(inner) for _ in range(min(least + more, most)))

    def one_of(self, characters: str) -> str:
        self.length += 1
        return characters[self.pick(len(characters))]

    def literal(self, value: int) -> str:
        self.length += 1
        return chr(value)

    def in_class(self, members: list[tuple[Any, Any]]) -> str:
        if members[0][0] is op.NEGATE:
            expression = "".join(map(_shown, members[1:]))
            return self.one_of("".join(re.findall(f"[^{expression}]", DRAWN)) or "é")
        code, value = members[self.pick(len(members))]
        if code is op.RANGE:
            self.length += 1
            return chr(value[0] + self.pick(value[1] - value[0] + 1))
        return self.one_of(CLASSES[value] if code is op.CATEGORY else chr(value))

    def grouped(self, value: tuple[int | None, int, int, Any]) -> str:
        number, _, _, inner = value
        found = self.written(inner)
        if number is not None:
            self.groups[number] = found
        return found


def _shown(member: tuple[Any, Any]) -> str:
    """A member of a character class, as source again."""
    code, value = member
    if code is op.CATEGORY:
        return WHOLE.get(value) or WHOLE[getattr(op, str(value).replace("NOT_", ""))].upper()
    ends = value if code is op.RANGE else [value]
    return "-".join(re.escape(chr(end)) for end in ends)


def _nothing(writer: _Writer, value: Any) -> str:
    return ""


WRITE: dict[Any, Callable[[_Writer, Any], str]] = {
    op.LITERAL: _Writer.literal,
    op.NOT_LITERAL: lambda writer, value: writer.one_of(DRAWN.replace(chr(value), "")[:26]),
    op.ANY: lambda writer, value: writer.one_of(LETTERS + LETTERS.upper() + DIGITS),
    op.IN: _Writer.in_class,
    op.BRANCH: lambda writer, value: writer.written(value[1][writer.pick(len(value[1]))]),
    op.MAX_REPEAT: _Writer.repeated,
    op.MIN_REPEAT: _Writer.repeated,
    op.POSSESSIVE_REPEAT: _Writer.repeated,
    op.SUBPATTERN: _Writer.grouped,
    op.ATOMIC_GROUP: _Writer.written,
    op.GROUPREF: lambda writer, value: writer.groups.get(value, ""),
    op.GROUPREF_EXISTS: lambda writer, value: writer.written(value[1] if value[0] in writer.groups else value[2] or []),
    op.AT: _nothing,
    op.ASSERT: lambda writer, value: writer.written(value[1]) if writer.attempt % 3 == 1 else "",  # each third time
    op.ASSERT_NOT: _nothing,
}
