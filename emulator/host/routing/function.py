"""One HTTP-triggered function as the app declares it, and one call of it."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..app import AppError
from .definition import examined


@dataclass(frozen=True)
class HttpFunction:
    """`route` is the template below the prefix. `methods` None means every method, as in the Functions host; an empty
    set means none.

    `auth_level` is ANONYMOUS, FUNCTION or ADMIN. `id` is what a worker knows the function by.
    `request_parameter` is the name of the handler's parameter that takes the request.
    """

    name: str
    id: str
    route: str
    methods: frozenset[str] | None
    auth_level: str
    request_parameter: str


@dataclass(frozen=True)
class Invocation:
    """One call: a fresh GUID, the function, and the decoded values of the route's parameters."""

    id: str
    function: HttpFunction
    route_parameters: Mapping[str, str]


def http_functions(declared: Iterable[tuple[str, str, Iterable[str]]]) -> list[HttpFunction]:
    """The HTTP functions among (name, id, bindings as JSON) that the host would keep, in its order.

    Other triggers are left out. What the host drops is dropped here, with a line on standard error. Raises AppError
    when it would serve none, when there is none, or when one binds more than its request and its return value.
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
