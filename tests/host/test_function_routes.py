"""Each route of this project's function reaches its own function, in the order of Azure's host: by name.

emulator/host/routing/route.py chooses as the host does; the recordings prove it.
"""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.host.routing.definition import http_functions
from function_app import app
from tests.host.reached import unreached

DECLARED = app.get_functions()  # the app allows one call
FUNCTIONS = http_functions(
    (str(function.get_function_name()), "", function.get_raw_bindings()) for function in DECLARED
)
CATCH_ALL = "zz_not_found"
NAMES = st.from_regex(r"[a-z][a-z0-9_\-]{0,30}", fullmatch=True)
ROUTES = st.lists(st.from_regex(r"[a-z_]{1,9}|\{[a-z]\}", fullmatch=True), min_size=1, max_size=4, unique=True)


def sorts_before_the_catch_all(name: str) -> bool:
    """The host compares capitals: `z_` comes after `zz_not_found`, because `_` comes after `Z`."""
    return name.upper() < CATCH_ALL.upper()


def test_every_route_reaches_its_own_function() -> None:
    assert len(FUNCTIONS) == len(DECLARED)  # the host drops none
    assert unreached(FUNCTIONS) == {}


def test_the_catch_all_that_came_before_others_by_name_is_seen() -> None:
    """It happened once, while the local host preferred literals: each route of the Responses API was a 404 in Azure."""
    planted = [
        replace(function, name="not_found" if function.name == CATCH_ALL else function.name) for function in FUNCTIONS
    ]
    behind = {function.name for function in FUNCTIONS if function.name.startswith(("openai_", "response"))}
    assert unreached(planted) == dict.fromkeys(behind, "not_found")


def test_no_function_sorts_behind_the_catch_all() -> None:
    others = [function.name for function in FUNCTIONS if function.name != CATCH_ALL]
    assert [name for name in others if not sorts_before_the_catch_all(name)] == []


@settings(deadline=None)
@example("zy", ["{a}"])
@given(NAMES.filter(lambda name: sorts_before_the_catch_all(name) and name != "host"), ROUTES)
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
