"""The fields of a cassette's entry. A field has the right type, or an error names its path."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

from .document import one_line

Path = tuple[str, ...]
REQUIRED: Any = object()
ALIKE = 0.6  # of two keys, as difflib counts: `bodie` and `body` have 0.67


class EntryError(Exception):
    """A wrong field: its path, and what is wrong."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path


def mapping(parent: Any, at: Path, name: str) -> dict[str, Any]:
    if not isinstance(parent, dict):
        raise wrong(at, "a mapping", parent)
    value = parent.get(name, REQUIRED)
    if not isinstance(value, dict):
        raise wrong((*at, name), "a mapping", value)
    return value


def text(parent: dict[str, Any], at: Path, name: str) -> str:
    value = parent.get(name, REQUIRED)
    if not isinstance(value, str):
        raise wrong((*at, name), "text", value)
    return value


def items(parent: dict[str, Any], at: Path, name: str) -> list[Any]:
    value = parent.get(name, [])
    if not isinstance(value, list):
        raise wrong((*at, name), "a list", value)
    return value


def refuse_misspelt(parent: dict[str, Any], at: Path, names: Iterable[str]) -> None:
    """Raises EntryError when a name is missing and a key looks like it, because nothing would read that key's value."""
    for name in names:
        if name not in parent and (near := difflib.get_close_matches(name, map(str.lower, parent), 1, ALIKE)):
            key = next(key for key in parent if key.lower() == near[0])
            raise EntryError((*at, key), f"this key is not read; {name!r} was expected")


def wrong(at: Path, expected: str, value: Any) -> EntryError:
    return EntryError(
        at, f"{expected} was expected, " + ("but it is missing" if value is REQUIRED else f"not {_named(value)}")
    )


def _named(value: Any) -> str:
    if isinstance(value, dict):
        return one_line(f"a mapping of {', '.join(value)}", 60) if value else "an empty mapping"
    if isinstance(value, list | bytes):
        return {list: "a list", bytes: "bytes"}[type(value)]
    return one_line(json.dumps(value, ensure_ascii=False), 40)
