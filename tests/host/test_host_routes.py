"""Route templates and their constraints, without a server."""

import pytest

from emulator.host.app import AppError
from emulator.host.function import HttpFunction
from emulator.host.route import Router


def router(*routes: str, below: str = "") -> Router:
    return Router(below, [HttpFunction(route, route, route, None, "ANONYMOUS", "req") for route in routes])


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("", "/", {}),
        ("", "/a", None),
        ("a/b", "/a/b", {}),
        ("a/b", "/A/B/", {}),
        ("a/b", "/a/b//", None),
        ("a/b", "/a", None),
        ("{x}", "/1", {"x": "1"}),
        ("{x}", "/", None),
        ("{x}", "/a%2Fb", {"x": "a/b"}),
        ("{x}", "/%0A", {"x": "\n"}),
        ("{x}/{y}", "/1/2", {"x": "1", "y": "2"}),
        ("a/{x?}", "/a/1", {"x": "1"}),
        ("a/{x?}", "/a", {}),
        ("a/{x?}", "/a/", {}),
        ("a/{x:int?}", "/a/b", None),
        ("a/{*x}", "/a/b/c%20d/", {"x": "b/c d/"}),
        ("a/{*x}", "/a//b", {"x": "/b"}),
        ("a/{*x}", "/a", {"x": ""}),
        ("a/{*x}", "/ab", None),
        ("{name}.{ext}", "/a.b.txt", {"name": "a.b", "ext": "txt"}),
        ("v{n:int}", "/v12", {"n": "12"}),
        ("a.b", "/axb", None),
        ("{{x}}", "/{x}", {}),
        ("{x:int}", "/-5", {"x": "-5"}),
        ("{x:int}", "/2147483648", None),
        ("{x:int}", "/1.0", None),
        ("{x:int}", "/٣", None),
        ("{x:long}", "/2147483648", {"x": "2147483648"}),
        ("{x:bool}", "/TRUE", {"x": "TRUE"}),
        ("{x:bool}", "/1", None),
        ("{x:guid}", "/0be5edd1-a2a1-4495-a741-657f2814f3cd", {"x": "0be5edd1-a2a1-4495-a741-657f2814f3cd"}),
        ("{x:guid}", "/0be5edd1", None),
        ("{x:float}", "/1.5", {"x": "1.5"}),
        ("{x:double}", "/x", None),
        ("{x:decimal}", "/x", None),
        ("{x:alpha}", "/aB", {"x": "aB"}),
        ("{x:alpha}", "/a1", None),
        ("{x:required}", "/a", {"x": "a"}),
        ("{x:length(2)}", "/ab", {"x": "ab"}),
        ("{x:length(2)}", "/abc", None),
        ("{x:length(2,3)}", "/abc", {"x": "abc"}),
        ("{x:length(2,3)}", "/a", None),
        ("{x:minlength(2)}", "/a", None),
        ("{x:maxlength(2)}", "/abc", None),
        ("{x:min(5)}", "/4", None),
        ("{x:max(5)}", "/6", None),
        ("{x:range(5,6)}", "/6", {"x": "6"}),
        ("{x:range(5,6)}", "/7", None),
        ("{x:int:min(5)}", "/4", None),
        ("{x:regex(^v\\d{{2}}$)}", "/V12", {"x": "V12"}),
        ("{x:regex(^v\\d{{2}}$)}", "/v123", None),
        ("{x:regex(^(a|b)/c$)}", "/b%2Fc", {"x": "b/c"}),
        ("{*x:regex(^b/)}", "/b/c", {"x": "b/c"}),
        ("{*x:regex(^b/)}", "/c/b", None),
    ],
)
def test_a_template_matches_as_in_the_functions_host(template: str, path: str, values: dict[str, str] | None) -> None:
    found = router(template).find("GET", path)
    assert (found and found[1]) == values


def test_the_order_of_declaration_does_not_decide() -> None:
    routes = ["{*all}", "a/{*rest}", "{x}/b", "a/{x}", "a/{x:int}", "a/b"]
    paths = {
        "/a/b": "a/b",
        "/a/1": "a/{x:int}",
        "/a/c": "a/{x}",
        "/z/b": "{x}/b",
        "/a/b/c": "a/{*rest}",
        "/z": "{*all}",
    }
    for order in routes, routes[::-1]:
        for path, expected in paths.items():
            found = router(*order).find("GET", path)
            assert found is not None
            assert found[0].route == expected


def test_the_prefix_belongs_to_every_template() -> None:
    assert router("a", "{*rest}", "a", below="api/v1").templates == ["/api/v1/a", "/api/v1/{*rest}"]


@pytest.mark.parametrize("template", ["{", "a}", "{}", "{x y}", "{x:}", "{x:colour}", "{x:int(1)}", "{x:regex([)}"])
def test_a_template_that_cannot_be_read_is_refused_by_name(template: str) -> None:
    with pytest.raises(AppError, match="route"):
        router(template)
