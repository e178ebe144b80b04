"""Values in messages about stubs: on one line, cut to what fits."""

import json
from typing import Any

from ...tape.document import one_line

WIDTH = 60


def shown(value: Any) -> str:
    """As JSON; what is no JSON as Python shows it."""
    return one_line(json.dumps(value, ensure_ascii=False, default=repr), WIDTH)


def listed(arguments: dict[str, Any], plain: tuple[str, ...] = ()) -> str:
    """As the arguments of a call are written, `plain` ones first."""
    return ", ".join([*plain, *(f"{name}={written(value)}" for name, value in arguments.items())])


def written(value: Any) -> str:
    """As a line of Python has it."""
    if callable(value):
        return str(getattr(value, "__name__", "…"))
    return repr(value) if value is None or isinstance(value, bool) else shown(value)


def times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
