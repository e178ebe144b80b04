"""What the Functions host does with an app's functions: it keeps one, drops one, or takes the whole app down.

Measured (tests/host/recorded/definitions.jsonl) and read in the host's source: `Utility.ValidateName`,
`ScriptHost.ValidateFunction`, `ScriptHost.ValidateHttpFunction`, `ScriptHost.HttpRoutesConflict`.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from ..app import NONE_IN_AZURE, AppError
from .dotnet import upper
from .function import HttpFunction
from .template import parse

NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
HOSTS_OWN = ("admin", "runtime")


def http_functions(declared: Iterable[tuple[str, str, Iterable[str]]]) -> list[HttpFunction]:
    """The HTTP functions among (name, id, bindings as JSON) that the host would keep, in its order.

    Leaves out other triggers. Drops the functions that the host drops, with a line on standard error for each. Raises
    AppError when there is no HTTP function, when the host would serve none, and when one binds more than its request
    and its return value.
    """
    functions, others = [], []
    for name, id_, raw in declared:
        bindings = {binding["type"]: binding for binding in map(json.loads, raw)}
        if "httpTrigger" in bindings:
            functions.append(_http_function(name, id_, bindings))
        else:
            others.append(name)
    kept, dropped = examined(functions, others)
    if not kept:
        raise AppError("; ".join(["the app has no HTTP-triggered function", *dropped]))
    for line in dropped:
        print(line, file=sys.stderr)
    return kept


def _http_function(name: str, id_: str, bindings: Mapping[str, Mapping[str, object]]) -> HttpFunction:
    if others := set(bindings) - {"httpTrigger", "http"}:
        raise AppError(f"function {name} binds {', '.join(sorted(others))}; only HTTP is served here")
    trigger = bindings["httpTrigger"]
    methods = trigger.get("methods")
    route = str(trigger.get("route") or "")
    return HttpFunction(
        name=name,
        id=id_,
        route=route if route.strip() else name,
        methods=frozenset(map(str.upper, methods)) if isinstance(methods, list) else None,
        auth_level=str(trigger.get("authLevel", "FUNCTION")).upper(),
        request_parameter=str(trigger["name"]),
    )


def examined(functions: Sequence[HttpFunction], others: Sequence[str]) -> tuple[list[HttpFunction], list[str]]:
    """The functions that the host keeps, in its order, and a line for each that it drops.

    `others` are the names of the functions with other triggers. Raises AppError where the host serves no function, and
    says what happens in Azure.
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


def _reason_to_drop(function: HttpFunction, kept: Sequence[HttpFunction]) -> str | None:
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


def _check_route(function: HttpFunction) -> None:
    """The host reads a route alone before it reads it below the prefix."""
    try:
        parse(function.route)
    except AppError as error:
        raise AppError(
            f"function {function.name}, route {function.route!r}: {error}; in Azure the whole app is down"
        ) from error
