"""Reads the pages of the documentation."""

import re
import subprocess
import textwrap
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@cache
def every_page() -> tuple[str, ...]:
    """Each Markdown file of the repository, from its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    named = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    return tuple(sorted(name for name in named if (ROOT / name).is_file()))


def guides() -> list[str]:
    """The pages for users: the README and docs/."""
    return [name for name in every_page() if name == "README.md" or name.startswith("docs/")]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The page's code blocks in a language."""
    return [textwrap.dedent(block) for _, found, block in FENCE.findall(text_of(page)) if found == language]


def block_with(language: str, containing: str) -> str:
    """The one code block of the guides that has this text."""
    found = [block for page in guides() for block in blocks(page, language) if containing in block]
    assert len(found) == 1, f"{containing!r} is in {len(found)} blocks"
    return found[0]


def code_of(page: str) -> list[str]:
    """Code in a page: each line of a block of commands, each span in a sentence or a table."""
    lines = [line for block in blocks(page, "bash") for line in block.replace("\\\n", " ").splitlines()]
    return [*lines, *SPAN.findall(prose_of(page))]


def prose_of(page: str) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", text_of(page))


def anchors(page: str) -> set[str]:
    """The anchors (`#…`) that GitHub makes from a page's headings."""
    titles = re.findall(r"^#+ (.*)", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}
