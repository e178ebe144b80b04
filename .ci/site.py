"""Hooks of mkdocs.yml: they make the README the first page, and repair links that leave docs/.

On GitHub every link works as it is written. On the site a file outside docs/ does not exist. Its link then leads to the
repository, if the environment names one (GitHub Actions does), and is plain text otherwise. The site copies images.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
FIRST = "README.md"
IMAGES = "benchmarks/published"
PICTURE = re.compile(r'\b(src|srcset)="(?!https?:)([^"]+)"')
LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    files.append(File.generated(config, "index.md", abs_src_path=str(ROOT / FIRST)))
    for image in sorted((ROOT / IMAGES).glob("*.png")):
        files.append(File.generated(config, f"{IMAGES}/{image.name}", abs_src_path=str(image)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    origin = "" if page.file.src_uri == "index.md" else DOCS
    here = page.url or "."
    drawn = PICTURE.sub(lambda found: f'{found[1]}="{posixpath.relpath(file_of(origin + found[2]), here)}"', markdown)
    return LINK.sub(lambda link: placed(link, origin), drawn)


def file_of(path: str) -> str:
    """Where a file of the repository is on the site."""
    return posixpath.normpath(path).removeprefix(DOCS)


def placed(link: re.Match[str], origin: str) -> str:
    """The link for the site. `origin` is the folder of its page, relative to the repository's root."""
    mark, text, path, anchor = link.groups(default="")
    target = posixpath.normpath(origin + path)
    if target == FIRST:
        return f"[{text}](index.md{anchor})"
    if target.startswith(DOCS) or mark:
        return f"{mark}[{text}]({target.removeprefix(DOCS)}{anchor})"
    repository = os.environ.get("GITHUB_REPOSITORY")
    return f"[{text}]({server()}/{repository}/blob/HEAD/{target}{anchor})" if repository else text


def server() -> str:
    return os.environ.get("GITHUB_SERVER_URL", "https://github.com")
