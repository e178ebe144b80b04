"""The handout for a class: a file for programs and a page to read for each person, and one sheet of all keys."""

import csv
import html
import importlib
import io
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from string import Template

from ..keys import Key
from .person import Mistake, terms

PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
ALL = "keys.csv"


def write(folder: Path, made: Sequence[tuple[Key, str]], base_url: str) -> None:
    """Writes files that only their owner may read. Raises Mistake for a folder with files: they may hold good keys."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Mistake(f"{folder} is not empty: choose a new folder.")
        for (key, text), name in zip(made, file_names([key.name for key, _ in made]), strict=True):
            put(folder / f"{name}.env", dotenv(base_url, text))
            put(folder / f"{name}.html", page(base_url, key, text))
        put(folder / ALL, sheet(made))
    except OSError as error:
        raise Mistake(f"{error.filename} cannot be written: {error.strerror}.") from None


def put(path: Path, text: str) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(opened, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def file_names(names: Sequence[str]) -> list[str]:
    """A unique file name for each name, in letters, digits and hyphens."""
    found = list[str]()
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "person"
        number = next(n for n in range(1, len(names) + 2) if (stem if n == 1 else f"{stem}-{n}") not in found)
        found.append(stem if number == 1 else f"{stem}-{number}")
    return found


def dotenv(base_url: str, text: str) -> str:
    """OpenAI's SDKs and most programs read these names; `python -m emulator doctor` reads them too."""
    return f"OPENAI_BASE_URL={base_url}\nOPENAI_API_KEY={text}\n"


def sheet(made: Sequence[tuple[Key, str]]) -> str:
    file = io.StringIO()
    rows = [("name", "id", "key"), *((key.name, key.id, text) for key, text in made)]
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def page(base_url: str, key: Key, text: str) -> str:
    rows = "".join(f"<tr><th>{html.escape(what)}<td>{html.escape(value)}\n" for what, value in terms(key).items())
    model = key.models[0] if key.models else "gpt-5-mini"
    facts = {"name": key.name, "base_url": base_url, "key": text, "model": model}
    escaped = {name: html.escape(value) for name, value in facts.items()}
    return PAGE.substitute(escaped, terms=rows, code=picture(text))


def picture(text: str) -> str:
    """A QR code of the key, as SVG; "" where segno is not installed."""
    try:
        segno = importlib.import_module("segno")
    except ImportError:
        return ""
    return str(segno.make(text, error="l").svg_inline(scale=3, border=4))
