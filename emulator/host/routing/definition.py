"""What the Functions host makes of an app's functions: kept, dropped while the others live, or the whole app down.

Measured (tests/host/recorded/definitions.jsonl) and read in the host's source: `Utility.ValidateName`,
`ScriptHost.ValidateFunction`, `ScriptHost.ValidateHttpFunction`, `ScriptHost.HttpRoutesConflict`.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..app import NONE_IN_AZURE, AppError
from .dotnet import upper
from .template import parse

if TYPE_CHECKING:
    from .function import HttpFunction

NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
HOSTS_OWN = ("admin", "runtime")


def examined(functions: "Sequence[HttpFunction]", others: Sequence[str]) -> "tuple[list[HttpFunction], list[str]]":
    """The functions that the host keeps, in its order, and a line for each that it drops.

    `others` are the names of the functions that are not HTTP's. Raises AppError, with what happens in Azure, where the
    host serves none.
    """
    names = [*others, *(function.name for function in functions)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise AppError(f"two functions are named {', '.join(sorted(twice))}; {NONE_IN_AZURE}")
    kept: list[HttpFunction] = []
    dropped = []
    for function in sorted(functions, key=lambda function: upper(function.name)):
        if reason := _reason_to_drop(function, kept):
            dropped.append(f"function {function.name} is dropped here as in Azure: {reason}")
        else:
            kept.append(function)
    _check_names([*(name for name in others if _is_name(name)), *(function.name for function in kept)])
    for function in kept:
        _check_route(function)
    return kept, dropped


def _reason_to_drop(function: "HttpFunction", kept: "Sequence[HttpFunction]") -> str | None:
    if not _is_name(function.name):
        return "a name is a letter and up to 127 letters, digits, '_' and '-' after it, and not 'host'"
    route = upper(function.route.strip("/"))
    if route.startswith(tuple(map(str.upper, HOSTS_OWN))):
        return f"its route {function.route!r} begins with {' or '.join(map(repr, HOSTS_OWN))}, which are the host's own"
    for other in kept:
        if upper(other.route.strip("/")) == route and (
            not function.methods or not other.methods or function.methods & other.methods
        ):
            return f"its route {function.route!r} is {other.name}'s, whose name comes first, with a method of both"
    return None


def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and upper(name) != "HOST"


def _check_names(names: Sequence[str]) -> None:
    capitals = [upper(name) for name in names]
    if alike := [name for name in names if capitals.count(upper(name)) > 1]:
        raise AppError(f"the names {', '.join(alike)} differ in case only; in Azure the whole app is down")


def _check_route(function: "HttpFunction") -> None:
    """The host reads a route alone before it reads it below the prefix."""
    try:
        parse(function.route)
    except AppError as error:
        raise AppError(
            f"function {function.name}, route {function.route!r}: {error}; in Azure the whole app is down"
        ) from error
