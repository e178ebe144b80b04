"""Writes values into messages about stubs: on one line, and cut to WIDTH."""

import json
from typing import Any

from ...tape.document import one_line

WIDTH = 60


def shown(value: Any) -> str:
    """The value as JSON. A value that is not JSON stands as its repr."""
    return one_line(json.dumps(value, ensure_ascii=False, default=repr), WIDTH)


def listed(arguments: dict[str, Any], plain: tuple[str, ...] = ()) -> str:
    """The values as arguments of a call in Python: first `plain`, then the named ones."""
    return ", ".join([*plain, *(f"{name}={written(value)}" for name, value in arguments.items())])


def written(value: Any) -> str:
    """The value as Python source. A function stands as its name."""
    if callable(value):
        return str(getattr(value, "__name__", "…"))
    return repr(value) if value is None or isinstance(value, bool) else shown(value)


def times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
