"""mkdocs.yml makes a site of the pages: every warning is an error, and nothing on it comes from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT, guides

pytest.importorskip("mkdocs", reason="mkdocs-material builds the site")
REPOSITORY = {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "class/proxy"}
LOADED = re.compile(r'(?:<script[^>]*\bsrc|<link[^>]*\brel="stylesheet"[^>]*\bhref|<img[^>]*\bsrc)="([^"]*)"')
LINK = re.compile(r'\bhref="([^"]*)"')


def build(root: Path, site: Path, **more: str) -> tuple[int, str]:
    """(exit status, what mkdocs says). With --quiet it would count no warnings."""
    environment = {name: value for name, value in os.environ.items() if name not in REPOSITORY} | more
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site],
        cwd=root,
        env=environment | {"NO_MKDOCS_2_WARNING": "1"},  # an advertisement of the theme's
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of the site, by their path."""
    folder = tmp_path_factory.mktemp("site")
    status, told = build(ROOT, folder, **REPOSITORY)
    assert status == 0, told
    assert (folder / "benchmarks/published/latency.png").is_file()
    assert (folder / "page/index.html").read_text(encoding="utf-8").count('src="../page-') == 3
    assert 'srcset="page-miss-dark.png"' in (folder / "index.html").read_text(encoding="utf-8")
    assert (folder / "page-miss-dark.png").is_file()
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}


def test_every_page_is_on_the_site(site: dict[str, str]) -> None:
    expected = {f"{Path(name).stem}/index.html" for name in guides() if name.startswith("docs/")}
    assert set(site) == {*expected, "index.html", "404.html"}
    assert "<h1" in site["index.html"]


def test_nothing_is_loaded_from_elsewhere(site: dict[str, str]) -> None:
    loaded = {source for page in site.values() for source in LOADED.findall(page)}
    assert loaded
    assert [source for source in loaded if "//" in source or source.startswith("data:")] == []


def test_a_link_that_leaves_the_docs_leads_to_the_repository(site: dict[str, str]) -> None:
    there = "https://github.example/class/proxy/blob/HEAD/emulator/host/README.md"
    assert there in LINK.findall(site["local-host/index.html"])
    assert [link for page in site.values() for link in LINK.findall(page) if ".md" in link and "//" not in link] == []


@pytest.mark.long
@pytest.mark.parametrize("planted", ["[no page](nowhere.md)", "[no heading](settings.md#nowhere)"])
def test_a_planted_fault_ends_the_build(tmp_path: Path, planted: str) -> None:
    for name in (".ci", "benchmarks/published", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "mkdocs.yml"):
        shutil.copy(ROOT / name, tmp_path)
    with (tmp_path / "docs/usage.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{planted}\n")
    status, told = build(tmp_path, tmp_path / "site")
    assert status
    assert "nowhere" in told
