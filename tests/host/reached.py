"""Finds functions of an app that get the requests meant for another."""

from collections.abc import Iterable
from itertools import product

from emulator.host.http.path import request_path
from emulator.host.routing.function import HttpFunction
from emulator.host.routing.route import Router
from emulator.host.routing.template import Literal, parse

VALUES = ("resp_68af-4_x", "gpt-4o-mini", "azure%2Fgpt-4o", "7", "Jos%C3%A9", "responses", "v1", "a%20b", "%0A")
REST = ("", "x", "v1", "v1/v1/models", "models", "chat/completions", "v1/unknown/x/y", "v1/responses/a/b/c", "api")


def paths(function: HttpFunction) -> Iterable[str]:
    """Paths below the prefix for the function: each parameter takes each value once."""
    parts = [part for segment in parse(function.route) for part in segment]
    for turn in range(len(VALUES)):
        yield "/".join(
            part.text if isinstance(part, Literal) else (REST if part.catch_all else VALUES)[turn - index]
            for index, part in enumerate(parts)
        )


def unreached(functions: Iterable[HttpFunction]) -> dict[str, str]:
    """Each function that misses one of its own requests: the function that gets the request."""
    routes = Router("api", functions)
    found = {}
    for function in functions:
        for method, path in product(function.methods or {"GET"}, paths(function)):
            decoded = request_path(f"/api/{path}")
            assert decoded is not None
            reached = routes.find(method, decoded)
            if reached is None or reached[0].name != function.name:
                found[function.name] = reached[0].name if reached else "no function"
    return found
