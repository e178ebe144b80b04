"""The tests find every page, and every link and file name in it leads somewhere."""

import json
import posixpath
import re

import pytest

from tests.pages import ROOT, SPAN, anchors, every_page, guides, prose_of, text_of

LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"(?:\.ci|\.github|benchmarks|cassettes|docs|emulator|infra|proxy|tests)/[\w./-]*")
MADE_UP = {"cassettes/chat/limerick.yaml", "tests/cassettes", "tests/limerick/limerick-de", "tests/test_limerick.py"}


PICTURE = re.compile(r'\b(?:src|srcset)="([^"]+)"')


def broken(text: str, page: str) -> list[str]:
    """The links in a text of this page that lead nowhere."""
    found = []
    for target in LINK.findall(text):
        file, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), file)) if file else page
        if target.startswith("https://"):
            continue
        if not (ROOT / path).exists() or (anchor and anchor not in anchors(path)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", every_page())
def test_every_link_leads_somewhere(page: str) -> None:
    assert broken(prose_of(page), page) == []


def test_the_links_of_the_notebook_lead_somewhere() -> None:
    cells = json.loads(text_of("Quickstart.ipynb"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "](docs/" in text
    assert broken(re.sub(r"\]\(#[^)]*\)", "", text), "README.md") == []


@pytest.mark.parametrize("page", every_page())
def test_every_picture_is_there_and_says_what_is_on_it(page: str) -> None:
    folder, text = ROOT / posixpath.dirname(page), prose_of(page)
    assert [path for path in PICTURE.findall(text) if not (folder / path).is_file()] == []
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in re.findall(r"<img [^>]*>", text))


@pytest.mark.parametrize("target", ["docs/nowhere.md", "docs/clients.md#nowhere", "#nowhere"])
def test_a_link_that_leads_nowhere_is_noticed(target: str) -> None:
    assert broken(f"[text]({target})", "README.md") == [target]


@pytest.mark.parametrize("page", every_page())
def test_every_file_that_is_named_exists(page: str) -> None:
    named = {name for name in SPAN.findall(prose_of(page)) if FILE.fullmatch(name)}
    near = ROOT / posixpath.dirname(page)
    assert [name for name in named - MADE_UP if not (ROOT / name).exists() and not (near / name).exists()] == []


def test_the_readme_leads_to_every_page() -> None:
    assert [page for page in guides() if page != "README.md" and f"]({page}" not in text_of("README.md")] == []


@pytest.mark.parametrize("page", [page for page in guides() if page != "README.md"])
def test_a_page_begins_with_what_its_reader_can_do_after_it(page: str) -> None:
    title, promise = text_of(page).split("\n\n", 2)[:2]
    assert title.startswith("# ")
    assert promise.startswith("After this page ")


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len(text_of("README.md").splitlines()) <= 200
