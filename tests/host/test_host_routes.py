"""Route templates and the order of functions, without a server.

The recordings of the Functions host have most cases. ASP.NET Core's source has the others.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.host.app import AppError
from emulator.host.http.path import request_path
from emulator.host.routing.function import HttpFunction
from emulator.host.routing.route import Router


def router(*routes: str, below: str = "") -> Router:
    return Router(below, [function(route, route) for route in routes])


def function(name: str, route: str, methods: frozenset[str] | None = None) -> HttpFunction:
    return HttpFunction(name, name, route, methods, "ANONYMOUS", "req")


def values_of(template: str, path: str) -> dict[str, str] | None:
    """The route parameters of a request for `path`, or None where the template does not match."""
    decoded = request_path(path)
    assert decoded is not None
    found = router(template).find("GET", decoded)
    return found and found[1]


# --- templates


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("a/b", "/a/b", {}),
        ("a/b", "/A/B/", {}),
        ("a/b", "/a/b//", None),
        ("a/b", "/a", None),
        ("a/b", "/a/b/c", None),
        ("a/b/", "/a/b", {}),
        ("/a", "/a", {}),
        ("~/a", "/a", {}),
        ("é", "/%C3%89", {}),
        ("straße", "/STRASSE", None),
        ("\u0131", "/I", None),
        ("sp ace", "/sp%20ace", {}),
        ("a.b", "/axb", None),
        ("{{x}}", "/{x}", {}),
        ("{x}", "/1", {"x": "1"}),
        ("{x}", "/", None),
        ("{x}", "//", None),
        ("{x}", "/a%2Fb", {"x": "a%2Fb"}),
        ("{x}", "/a%2fb", {"x": "a%2fb"}),
        ("{x}", "/%0A", {"x": "\n"}),
        ("{1a}", "/1", {"1a": "1"}),
        ("{a-b}", "/1", {"a-b": "1"}),
        ("{ a }", "/1", {" a ": "1"}),
        ("{x:}", "/1", {"x": "1"}),
        ("{x}/{y}", "/1/2", {"x": "1", "y": "2"}),
        ("{x}/{y}", "/1//2", None),
        # --- without a value
        ("a/{x?}", "/a/1", {"x": "1"}),
        ("a/{x?}", "/a", {}),
        ("a/{x?}", "/a/", {}),
        ("a/{x:int?}", "/a", {}),
        ("a/{x:int?}", "/a/b", None),
        ("a/{x?}/b", "/a/1/b", {"x": "1"}),
        ("a/{x?}/b", "/a/b", None),
        ("a/{x?}/{y?}", "/a", {}),
        ("a/{x=1}", "/a", {"x": "1"}),
        ("a/{x=1}", "/a/2", {"x": "2"}),
        ("a/{x=}", "/a", {"x": ""}),
        ("a/{x=1}/b", "/a/b", None),
        ("a/{x:int=b}", "/a", None),
        ("a/{x:length(1,2)=b=c}", "/a/d", {"x": "d"}),
        ("a/{x=b:c}", "/a", {"x": "b:c"}),
        # --- catch-alls
        ("a/{*x}", "/a/b/c%20d/", {"x": "b/c d/"}),
        ("a/{**x}", "/a/b/c", {"x": "b/c"}),
        ("a/{*x}", "/a/b//c", {"x": "b//c"}),
        ("a/{*x}", "/a//b", None),
        ("a/{*x}", "/a", {}),
        ("a/{*x}", "/a/", {}),
        ("a/{*x=1}", "/a", {"x": "1"}),
        ("a/{*x}", "/ab", None),
        ("{*x}", "/", {}),
        ("{*x:regex(^b/)}", "/b/c", {"x": "b/c"}),
        ("{*x:regex(^b/)}", "/c/b", None),
        ("a/{*x:int}", "/a", None),
        ("a/{*x:NonFile}", "/a", {}),
        ("a/{*x:nonfile:int}", "/a", None),
        ("a/{*x:nonfile}", "/a/b.c/", {"x": "b.c/"}),
        # --- segments of several parts
        ("{name}.{ext}", "/a.b.txt", {"name": "a.b", "ext": "txt"}),
        ("{name}.{ext}", "/a.", None),
        ("{name}.{ext}", "/.b", None),
        ("{name}.{ext?}", "/a.b", {"name": "a", "ext": "b"}),
        ("{name}.{ext?}", "/a", {"name": "a"}),
        ("{name}.{ext?}", "/a.", None),
        (".{ext?}", "/.b", {"ext": "b"}),
        (".{ext?}", "/b", None),
        ("v{n:int}", "/V12", {"n": "12"}),
        ("v{n}", "/xv12", None),
        ("{n}px", "/12px", {"n": "12"}),
        ("{n}px", "/12pxx", None),
        ("{a}x{b}", "/axxb", {"a": "ax", "b": "b"}),
        ("{a}x{b}", "/axx", {"a": "a", "b": "x"}),
        ("a{x}b{y}", "/by", None),
        ("a{x}b{y}", "/aby", None),
        ("a{x}b{y}", "/a1b2", {"x": "1", "y": "2"}),
    ],
)
def test_a_template_matches_as_in_the_functions_host(template: str, path: str, values: dict[str, str] | None) -> None:
    assert values_of(template, path) == values


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "a}",
        "{a",
        "{}",
        "{{a}",
        "{a}}",
        "{a}{b}",
        "{*a}/b",
        "x{*a}",
        "{*a?}",
        "{a=1?}",
        "{a}/{A}",
        "{*}",
        "{?}",
        "a?b",
        "//a",
        "a//b",
        "~a",
        "{a/b}",
        "{a*}",
        "v{a?}",
        "{a?}v",
    ],
)
def test_a_template_that_cannot_be_read_is_refused_by_name(template: str) -> None:
    with pytest.raises(AppError, match=r"route .*; in Azure the whole app is down"):
        router(template)


# --- the order


def test_the_first_name_in_upper_case_wins_however_functions_are_declared() -> None:
    functions = [
        function("list", "{x}"),
        function("Leaf", "a"),
        function("list_all", "b/{*rest}"),
        function("listing", "b/c"),
    ]
    for order in functions, functions[::-1]:
        found = Router("", order).find
        assert [find[0].name for path in ("/a", "/b", "/b/c") if (find := found("GET", path))] == [
            "Leaf",
            "list",
            "listing",
        ]


def test_a_method_is_compared_without_case_and_the_next_name_is_asked() -> None:
    routes = Router("", [function("a", "{x}", frozenset({"POST"})), function("b", "leaf", frozenset({"GET"}))])
    assert [(find := routes.find(method, "/leaf")) and find[0].name for method in ("get", "Post", "PUT")] == [
        "b",
        "a",
        None,
    ]


def test_a_function_that_lists_no_method_answers_none() -> None:
    assert Router("", [function("a", "a", frozenset())]).find("GET", "/a") is None


def test_the_prefix_belongs_to_every_template() -> None:
    assert router("a", "b/", "{*rest}", below="api/v1").templates == ["/api/v1/a", "/api/v1/b/", "/api/v1/{*rest}"]


TEMPLATES = ["{*a}", "a/{b}", "a/{b:int}", "{a}/{b?}", "a/{*b}", "{a}.{b?}", "b", "a/b", "{a=1}", "x{a}y/{b}"]
PATHS = st.text("ab1x./%2eéy\\\n", max_size=12).map(lambda text: f"/{text}")


@given(st.lists(st.sampled_from(TEMPLATES), min_size=1, unique=True), PATHS)
def test_any_path_gets_the_first_function_by_name_that_would_take_it_alone(templates: list[str], path: str) -> None:
    alone = [template for template in sorted(templates, key=str.upper) if router(template).find("GET", path)]
    found = router(*templates).find("GET", path)
    assert (found and found[0].route) == next(iter(alone), None)
