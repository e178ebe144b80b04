"""Writes the matrix into tests/README.md: `python -m tests.e2e.fault_matrix`."""

import re
from pathlib import Path

from .expected import table

README = Path(__file__).resolve().parents[2] / "README.md"
PLACE = re.compile(r"(<!-- fault matrix -->\n).*(<!-- end -->)", re.DOTALL)


def with_table(text: str) -> str:
    return PLACE.sub(lambda found: found[1] + table() + "\n" + found[2], text)


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
