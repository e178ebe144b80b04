"""Each route of this project's function reaches its own function, in the order of Azure's host: by name.

The host's choice is emulator/host/routing/route.py's, which the recordings hold.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.host.http.path import request_path
from emulator.host.routing.definition import http_functions
from emulator.host.routing.function import HttpFunction
from emulator.host.routing.route import Router
from emulator.host.routing.template import Literal, parse
from function_app import app

DECLARED = app.get_functions()  # it can be called once
FUNCTIONS = http_functions(
    (str(function.get_function_name()), "", function.get_raw_bindings()) for function in DECLARED
)
CATCH_ALL = "zz_not_found"
VALUES = ("resp_68af-4_x", "gpt-4o-mini", "azure%2Fgpt-4o", "7", "Jos%C3%A9", "responses", "v1", "a%20b", "%0A")
REST = ("", "x", "v1", "v1/v1/models", "models", "chat/completions", "v1/unknown/x/y", "v1/responses/a/b/c", "api")
NAMES = st.from_regex(r"[a-z][a-z0-9_\-]{0,30}", fullmatch=True)
ROUTES = st.lists(st.from_regex(r"[a-z_]{1,9}|\{[a-z]\}", fullmatch=True), min_size=1, max_size=4, unique=True)


def paths(function: HttpFunction) -> Iterable[str]:
    """Paths below the prefix that are meant for the function: each parameter has each value once."""
    parts = [part for segment in parse(function.route) for part in segment]
    for turn in range(len(VALUES)):
        yield "/".join(
            part.text if isinstance(part, Literal) else (REST if part.catch_all else VALUES)[turn - index]
            for index, part in enumerate(parts)
        )


def unreached(functions: Iterable[HttpFunction]) -> dict[str, str]:
    """Of each function that does not get a request that is meant for it, the function that gets it."""
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


def test_every_route_reaches_its_own_function() -> None:
    assert len(FUNCTIONS) == len(DECLARED)  # the host drops none
    assert unreached(FUNCTIONS) == {}


def test_the_catch_all_that_came_before_others_by_name_is_seen() -> None:
    """As it was once, and the local host preferred literals: every route of the Responses API was a 404 in Azure."""
    planted = [
        replace(function, name="not_found" if function.name == CATCH_ALL else function.name) for function in FUNCTIONS
    ]
    behind = {function.name for function in FUNCTIONS if function.name.startswith(("openai_", "response"))}
    assert unreached(planted) == dict.fromkeys(behind, "not_found")


def test_no_function_sorts_behind_the_catch_all() -> None:
    others = [function.name for function in FUNCTIONS if function.name != CATCH_ALL]
    assert [name for name in others if name.upper().startswith("ZZ")] == []


@settings(deadline=None)
@given(NAMES.filter(lambda name: not name.startswith("zz") and name != "host"), ROUTES)
def test_a_function_that_is_added_later_is_not_hidden_by_the_catch_all(name: str, segments: list[str]) -> None:
    catch_all = next(function for function in FUNCTIONS if function.name == CATCH_ALL)
    added = replace(catch_all, name=name, route="v1/" + "/".join(segments))
    assert name not in unreached([catch_all, added])


@pytest.mark.parametrize("before", ["model", "response"])
def test_a_literal_that_is_added_behind_a_parameter_is_seen(before: str) -> None:
    """`GET responses/list` would need a name that comes before `response`."""
    hides = next(function for function in FUNCTIONS if function.name == before)
    literal = replace(hides, name=f"{before}_list", route=hides.route.rpartition("/")[0] + "/list")
    assert unreached([*FUNCTIONS, literal]) == {literal.name: before}
