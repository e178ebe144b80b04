"""The patterns of the `regex` constraint, translated from .NET's syntax to Python's `re`.

Facts, from ASP.NET Core's `RegexRouteConstraint` and .NET's documentation. A match ignores case and may stand anywhere
in the value. Unicode's categories decide what letters and white space are.
"""

import functools
import re
import unicodedata
from collections.abc import Callable

from .dotnet import WHITE_SPACE

WORD = ("L", "Mn", "Nd", "Pc")
"""The categories of .NET's `\\w`. Python's `\\w` takes other numbers as well, and no combining marks."""

_ANYWHERE = r"\\p\{(?P<with>\w+)\}|\\P\{(?P<without>\w+)\}|\\c(?P<control>[A-Za-z])|(?P<escape>\\[^pP])"
_INSIDE = re.compile(rf"{_ANYWHERE}|(?P<no_subtraction>-\[)|(?P<literal>[\[&~|])|(?P<end>\])|.", re.DOTALL)
_OUTSIDE = re.compile(
    rf"\\k[<'](?P<back>\w+)[>']|{_ANYWHERE}|\(\?[<'](?P<name>[A-Za-z_]\w*)[>']|(?P<not_python>\(\?P|[*+?]\+)"
    r"|(?P<literal>\{(?=,))|(?P<begin>\[\^?\]?)|.",
    re.DOTALL,
)


def translated(pattern: str) -> re.Pattern[str]:
    """Raises re.error for an unreadable pattern, and for one that only .NET reads (`[a-z-[aeiou]]`, `(?<=a+)`)."""
    written, at = "", 0
    while found := _OUTSIDE.match(pattern, at):
        at = found.end()
        if found["begin"]:
            members, at = _class(pattern, at)
            written += found["begin"].replace("[]", r"[\]").replace("^]", r"^\]") + members
        else:
            written += _outside(found)
    return re.compile(written, re.IGNORECASE)


def _outside(found: re.Match[str]) -> str:
    match found.lastgroup, found[found.lastgroup or 0]:
        case "back", name:
            return f"(?P={name})"
        case "name", name:
            return f"(?P<{name}>"
        case "not_python", text:
            raise re.error(f"{text!r} means nothing in .NET")
        case "escape", r"\z":
            return r"\Z"
        case "escape", r"\Z":
            return r"(?=\n?\Z)"
        case "with" | "without" | "control" | "escape", _:
            members = _members(found)
            return members if found.lastgroup == "control" or members == found[0] else f"[{members}]"
        case "literal", text:
            return "\\" + text
    return found[0]


def _class(pattern: str, at: int) -> tuple[str, int]:
    written = ""
    while found := _INSIDE.match(pattern, at):
        at = found.end()
        if found["end"]:
            return written + "]", at
        if found["no_subtraction"]:
            raise re.error("a class that another is taken from can't be read here")
        written += "\\" + found[0] if found["literal"] else _members(found)
    raise re.error("a class does not end")


def _members(found: re.Match[str]) -> str:
    """The members of an escape inside a class."""
    match found.lastgroup, found[found.lastgroup or 0]:
        case "with", name:
            return _ranges((name,))
        case "without", name:
            return _ranges((name,), negated=True)
        case "control", letter:
            return f"\\x{ord(letter.upper()) - 64:02x}"
        case "escape", r"\w" | r"\W":
            return _ranges(WORD, negated=found[0] == r"\W")
        case "escape", r"\s" | r"\S":
            return _ranges((), negated=found[0] == r"\S")
        case "escape", r"\e":
            return r"\x1b"
    return found[0]


@functools.cache
def _ranges(categories: tuple[str, ...], negated: bool = False) -> str:
    """Ranges of UTF-16 code units: of the named categories (`L`, `Lu`), or of white space when none is named."""
    belongs: Callable[[str], bool] = WHITE_SPACE.__contains__
    if categories:
        belongs = lambda character: unicodedata.category(character).startswith(categories)  # noqa: E731
    inside = [belongs(chr(code)) != negated for code in range(0x10000)]
    if True not in inside:
        raise re.error(f"there is no category {categories[0]!r} here")
    edges = [code for code in range(0x10001) if (code < 0x10000 and inside[code]) != (code > 0 and inside[code - 1])]
    return "".join(f"\\u{first:04x}-\\u{end - 1:04x}" for first, end in zip(edges[::2], edges[1::2], strict=True))
