"""No sentence, row or example of the documentation stands twice: the second copy would grow old."""

import re
from collections import defaultdict
from collections.abc import Mapping

from tests.pages import FENCE, every_page, prose_of, text_of

LONG = 40  # characters of a sentence that nobody writes twice by chance
NO_PROSE = re.compile(r"<!-- written by .*?<!-- end -->|<picture>.*?</picture>", re.DOTALL)


def statements(page: str) -> set[str]:
    """The long sentences and rows of a page, and its code blocks of several lines."""
    prose = NO_PROSE.sub("", prose_of(page))
    pieces = re.split(r"(?<=[.!?:;]) |\n\n|\n(?=[|#-])|\n(?=\d\. )| \| ", re.sub(r"(?<!\n)\n(?![\n|#-])", " ", prose))
    said = {" ".join(piece.split()) for piece in pieces}
    return {piece for piece in said if len(piece) >= LONG} | {
        block for _, _, block in FENCE.findall(text_of(page)) if block.count("\n") > 1
    }


def repeated(pages: Mapping[str, set[str]]) -> dict[str, list[str]]:
    where = defaultdict(list)
    for page, said in pages.items():
        for statement in said:
            where[statement].append(page)
    return {statement: found for statement, found in where.items() if len(found) > 1}


def test_nothing_is_said_twice() -> None:
    assert repeated({page: statements(page) for page in every_page()}) == {}


def test_what_is_said_twice_is_noticed() -> None:
    pages = {page: statements(page) for page in ("README.md", "docs/deploying.md")}
    assert all(pages.values())
    pages["docs/copy.md"] = {min(pages["README.md"])}
    assert list(repeated(pages).values()) == [["README.md", "docs/copy.md"]]
