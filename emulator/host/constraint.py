"""The constraints of route parameters: `int`, `length(1,5)`, `regex(^v)` and the rest of the host's table.

Source: ASP.NET Core's default constraint map, which the Functions host uses. `datetime`, `file` and `nonfile` are
left out.
"""

import re
import uuid
from collections.abc import Callable

from .app import AppError

Check = Callable[[str], bool]

_CONSTRAINT = re.compile(r":(\w+)(?:\((.*?)\))?(?=:|$)")


def _is_integer(value: str, bits: int = 64) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", value) is not None and -(1 << bits - 1) <= int(value) < 1 << bits - 1


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


_CHECKS: dict[str, Callable[..., bool]] = {
    "int": lambda value: _is_integer(value, bits=32),
    "long": _is_integer,
    "bool": lambda value: value.lower() in ("true", "false"),
    "guid": lambda value: _parses(uuid.UUID, value),
    "float": lambda value: _parses(float, value),
    "double": lambda value: _parses(float, value),
    "decimal": lambda value: _parses(float, value),
    "alpha": lambda value: re.fullmatch("[a-zA-Z]*", value) is not None,
    "required": lambda value: value != "",
    "length": lambda value, low, high=None: int(low) <= len(value) <= int(high or low),
    "minlength": lambda value, low: int(low) <= len(value),
    "maxlength": lambda value, high: len(value) <= int(high),
    "min": lambda value, low: _is_integer(value) and int(low) <= int(value),
    "max": lambda value, high: _is_integer(value) and int(value) <= int(high),
    "range": lambda value, low, high: _is_integer(value) and int(low) <= int(value) <= int(high),
    "regex": lambda value, pattern: re.search(pattern, value, re.IGNORECASE) is not None,
}


def compile_constraints(text: str) -> tuple[Check, ...]:
    """The checks that `:int:min(1)` stands for.

    Raises AppError for a constraint that is unknown or has the wrong arguments.
    """
    found = list(_CONSTRAINT.finditer(text))
    if "".join(match[0] for match in found) != text:
        raise AppError(f"cannot read the route constraint {text!r}")
    return tuple(_compile(match[0], match[1].lower(), match[2]) for match in found)


def _compile(text: str, name: str, inside: str | None) -> Check:
    if name not in _CHECKS:
        raise AppError(f"the route constraint {text!r} is not known here; known are {', '.join(sorted(_CHECKS))}")
    arguments = [] if inside is None else [inside] if name == "regex" else inside.split(",")

    def check(value: str) -> bool:
        return _CHECKS[name](value, *arguments)

    try:
        check("0")  # a trial finds wrong arguments at load, not at the first request
    except (TypeError, ValueError, re.error) as error:
        raise AppError(f"the route constraint {text!r} has wrong arguments: {error}") from error
    return check
