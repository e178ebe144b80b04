"""The meaning of an error and what to do, read from the table in docs/troubleshooting.md."""

import functools
import re

from ..bundle import DOCS

PAGE = DOCS / "troubleshooting.md"
ROW = re.compile(r"^\| (?!what you see|-)(.+?) \| (.+?) \|$", re.MULTILINE)
LINK = re.compile(r"\[([^]]*)\]\(([^)#]*)[^)]*\)")


@functools.cache
def table() -> dict[str, str]:
    """What a person sees → what it means. The names of pages replace the table's links."""
    return dict(ROW.findall(LINK.sub(r'"\1" in docs/\2', PAGE.read_text(encoding="utf-8"))))


def meaning_of(cause: str) -> str:
    """The meaning in the first row that begins with this cause. Raises StopIteration for a cause without a row; the
    tests make sure that each has one."""
    return next(meaning for seen, meaning in table().items() if seen.startswith(cause))


def advice(status: int, code: str | None) -> str | None:
    """What the table says of an error of the proxy or its host; None where it has no row."""
    seen = f"{status} `{code}`" if code else f"{status} with an empty body"
    return next((meaning for row, meaning in table().items() if row.startswith(seen)), None)
