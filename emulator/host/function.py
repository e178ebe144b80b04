"""One HTTP-triggered function as the app declares it, and one call of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .app import AppError


@dataclass(frozen=True)
class HttpFunction:
    """`route` is the template below the prefix; `methods` None means every method, as in the Functions host.

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
    """The HTTP functions among (name, id, bindings as JSON); other triggers are left out.

    Raises AppError when there is none, or when one binds more than its request and its return value.
    """
    functions = [
        _http_function(name, id_, bindings)
        for name, id_, raw in declared
        if "httpTrigger" in (bindings := {binding["type"]: binding for binding in map(json.loads, raw)})
    ]
    if not functions:
        raise AppError("the app has no HTTP-triggered function")
    return functions


def _http_function(name: str, id_: str, bindings: Mapping[str, Mapping[str, object]]) -> HttpFunction:
    if others := set(bindings) - {"httpTrigger", "http"}:
        raise AppError(f"function {name} binds {', '.join(sorted(others))}; only HTTP is served here")
    trigger = bindings["httpTrigger"]
    methods = trigger.get("methods")
    return HttpFunction(
        name=name,
        id=id_,
        route=str(trigger["route"]).strip("/"),
        methods=frozenset(map(str.upper, methods)) if isinstance(methods, list) else None,
        auth_level=str(trigger.get("authLevel", "FUNCTION")).upper(),
        request_parameter=str(trigger["name"]),
    )
