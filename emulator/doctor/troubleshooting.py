"""What an error means and what to do: the README's table of troubleshooting, which stands nowhere else."""

import functools
import re

from ..bundle import ROOT

PAGE = ROOT / "README.md"


@functools.cache
def table() -> dict[str, str]:
    """The README's troubleshooting: what one sees, what it means."""
    text = PAGE.read_text(encoding="utf-8").split("## When something goes wrong", 1)[1]
    return dict(re.findall(r"^\| (?!what you see|-)(.+?) \| (.+?) \|$", text.split("\n## ", 1)[0], re.MULTILINE))


def meaning_of(cause: str) -> str:
    """Of the first row that begins like this. Raises StopIteration for a cause that has none, which the tests
    exclude."""
    return next(meaning for seen, meaning in table().items() if seen.startswith(cause))
