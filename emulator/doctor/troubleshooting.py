"""What an error means and what to do: the table of docs/troubleshooting.md, which stands nowhere else."""

import functools
import re

from ..bundle import DOCS

PAGE = DOCS / "troubleshooting.md"
ROW = re.compile(r"^\| (?!what you see|-)(.+?) \| (.+?) \|$", re.MULTILINE)
LINK = re.compile(r"\[([^]]*)\]\(([^)#]*)[^)]*\)")


@functools.cache
def table() -> dict[str, str]:
    """What one sees → what it means, with the names of pages where the table has links."""
    return dict(ROW.findall(LINK.sub(r'"\1" in docs/\2', PAGE.read_text(encoding="utf-8"))))


def meaning_of(cause: str) -> str:
    """Of the first row that begins like this. Raises StopIteration for a cause that has none, which the tests
    exclude."""
    return next(meaning for seen, meaning in table().items() if seen.startswith(cause))
