"""A cassette: a VCR.py YAML file of recorded requests and responses.

This project adds two things that vcrpy and pytest-recording ignore: `response.x-stream` and a top-level `x-emulator`
mapping (`origin: synthetic` for a file written by hand). `x-stream` says how a body arrived:

    frame_at_ms   the time of each frame, in milliseconds after the headers
    frame_bytes   the length of each frame; not written when every frame ends at an empty line
    outcome       the end of a body that is not complete: one of OUTCOMES
"""

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..failure import UsageError
from . import cache, document
from .document import MAX_BYTES
from .entry import request_of, response_of
from .field import EntryError
from .interaction import COMPLETE, OUTCOMES, Headers, Interaction, Request, Response, sse_frames

__all__ = [
    "COMPLETE",
    "OUTCOMES",
    "Cassette",
    "CassetteError",
    "Headers",
    "Interaction",
    "Request",
    "Response",
    "find",
    "is_name",
    "is_synthetic",
    "load",
    "save",
    "sse_frames",
]

SUFFIXES = (".yaml", ".yml", ".json")
EXTENSION = re.compile(r"\.[A-Za-z]\w*~?")  # of some other file; test_story[gpt-4.1] has none
BEGINNING = re.compile(rb'^interactions:|"interactions"\s*:', re.MULTILINE)
MOST_NOTES = 2**16  # bytes before the interactions
END = "...\n"  # which libyaml writes after a text that ends with line feeds, and PyYAML does not
LARGE_BYTES = 2**20  # of bodies
_Large: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class CassetteError(UsageError):
    """A file that is no readable cassette. The message names file, line (where known) and reason in one line."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        self.path, self.line, self.reason = path, line, document.one_line(reason, 300)
        super().__init__(f"{document.one_line(str(path), 4096)}{f':{line}' if line else ''}: {self.reason}")


@dataclass(frozen=True)
class Cassette:
    path: Path
    interactions: tuple[Interaction, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


def is_synthetic(tape: Cassette) -> bool:
    return tape.notes.get("origin") == "synthetic"


def is_name(name: str) -> bool:
    """Whether it is a path of plain parts that stays below the folder of the cassettes."""
    parts = name.split("/")
    plain = all(part and not part.startswith(".") and all(c.isalnum() or c in "-_.[]" for c in part) for part in parts)
    return plain and len(name) < 200


def find(folders: Iterable[Path]) -> list[tuple[Path, str]]:
    """(file, name) of every cassette below the folders. The name is the path below its folder without suffix. The list
    also has files with the name of a cassette that cannot be read (`load` says why), and files without a suffix that
    begin like a cassette."""
    return [
        (path, path.relative_to(folder).as_posix().removesuffix(path.suffix if _has_suffix(path) else ""))
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if (not path.is_dir() if _has_suffix(path) else _begins_like_one(path))
    ]


def _has_suffix(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _begins_like_one(path: Path) -> bool:
    if path.name.startswith(".") or EXTENSION.fullmatch(path.suffix) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return BEGINNING.search(file.read(MOST_NOTES)) is not None
    except OSError:
        return False


def load(path: Path, name: str = "") -> Cassette:
    """Read a cassette as stock vcrpy writes it. Raises CassetteError."""
    try:
        content = document.content_of(path)
    except document.DocumentError as error:
        raise CassetteError(path, error.line, str(error)) from error
    is_json = path.suffix.lower() == ".json" if _has_suffix(path) else content.lstrip().startswith(b"{")
    kind = "json" if is_json else "yaml"
    if (found := cache.find(content, kind)) is None:
        found = _read(path, content, kind)
        cache.keep(content, kind, *found)
    notes, pairs = found
    labels = (f"{name or path.stem} #{number}" for number in itertools.count(1))
    return Cassette(path, tuple(Interaction(*pair, label) for pair, label in zip(pairs, labels, strict=False)), notes)


def _read(path: Path, content: bytes, kind: str) -> tuple[dict[str, Any], list[tuple[Request, Response]]]:
    try:
        values = document.parse(content, is_json=kind == "json")
    except document.DocumentError as error:
        raise CassetteError(path, error.line, str(error)) from error
    if not isinstance(values, dict) or not isinstance(values.get("interactions"), list):
        raise CassetteError(path, 1, "it is no cassette: a mapping with a list of `interactions` was expected")
    notes = values.get("x-emulator")
    if not isinstance(notes, dict | None):
        raise CassetteError(path, document.line_of(content, ("x-emulator",)), "x-emulator: a mapping was expected")
    pairs, size = [], 0
    for number, entry in enumerate(values["interactions"]):
        try:
            request = request_of(entry)
            pairs.append((request, response_of(entry, request.method)))
            size += len(pairs[-1][1].body)
            if size > document.MAX_WEIGHT:  # many small bodies that were compressed
                raise EntryError((), f"up to here the bodies are larger than {document.MAX_WEIGHT // 2**20} MB")
        except EntryError as error:
            line = document.line_of(content, ("interactions", number, *error.path))
            where = "".join(f"{part}: " for part in (f"interaction {number + 1}", ".".join(error.path)) if part)
            raise CassetteError(path, line, f"{where}{error}") from error
    return notes or {}, pairs


def save(path: Path, interactions: Iterable[Interaction], notes: Mapping[str, Any]) -> None:
    """Write a cassette that vcrpy can play. Writes the file whole or not at all, streams as literal
    blocks and other bytes in base64. Raises CassetteError for a file that would be too large to read."""
    document: dict[str, Any] = {"x-emulator": dict(notes)} if notes else {}
    kept = list(interactions)
    document["interactions"] = list(map(_document, kept))
    document["version"] = 1
    size = sum(len(one.request.body) + len(one.response.body) for one in kept)
    dumper = _LargeDumper if size > LARGE_BYTES else _Dumper
    text = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=2**20)
    content = text.removesuffix(END).encode()
    if len(content) > MAX_BYTES:
        raise CassetteError(
            path, None, f"with these recordings it would have {len(content) // 2**20} MB, and nobody could read it"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


class _Dumper(yaml.SafeDumper):
    pass


class _LargeDumper(_Large):  # type: ignore[misc]
    """Thirty times as fast, but it escapes emoji, which people want to read in files that they read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
_LargeDumper.add_representer(str, _text)


def _document(interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    document: dict[str, Any] = {
        "request": {
            "method": request.method,
            "uri": request.uri,
            "headers": _listed(request.headers),
            "body": _scalar(request.body),
        },
        "response": {
            "status": {"code": response.status, "message": response.reason},
            "headers": _listed(response.headers),
            "body": {"string": _scalar(response.body)},
        },
    }
    arrived = {
        "frame_at_ms": [int(ms) if ms == int(ms) else ms for ms in response.frame_at_ms],
        "frame_bytes": list(response.frame_bytes),
        "outcome": response.outcome * (response.outcome != COMPLETE),
    }
    if any(arrived.values()):
        document["response"]["x-stream"] = {name: value for name, value in arrived.items() if value}
    return document


def _listed(headers: Headers) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for name, value in headers:
        listed.setdefault(name, []).append(value)
    return listed


def _scalar(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
