"""Paths in a request's JSON, such as `messages[0].role` and `tools[*].type`: the form that a miss prints."""

import re
from typing import Any

from .error import StubError

ANY = "*"
_NAME, _ITEM = r"[^.\[\]]+", r"\[(?:-?\d{1,9}|\*)\]"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME}|{_ITEM})*")
_STEP = re.compile(rf"({_NAME})|\[(-?\d+|\*)\]")
Steps = tuple[str | int, ...]


def steps_of(path: str) -> Steps:
    """The path's steps: names, numbers of items, and ANY for all items. Raises StubError."""
    if not _PATH.fullmatch(path):
        raise StubError(f"{path!r} is not a path. Write messages[0].role, messages[-1].content or tools[*].type.")
    return tuple(name or (ANY if item == ANY else int(item)) for name, item in _STEP.findall(path))


def values_at(steps: Steps, value: Any) -> list[Any]:
    """The values at the path: none, one, or one for each item of an array."""
    if not steps:
        return [value]
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        items = value if step == ANY else value[step : step + 1 or None] if isinstance(step, int) else []
        return [found for item in items for found in values_at(rest, item)]
    return values_at(rest, value[str(step)]) if isinstance(value, dict) and step in value else []
