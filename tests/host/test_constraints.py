"""The constraints of route parameters: their syntax, the values that each takes, and the values that each refuses.

The recordings of the Functions host have most cases. .NET's documentation and ASP.NET Core's source have the others.
"""

import pytest

from emulator.host.app import AppError
from emulator.host.routing.function import HttpFunction
from emulator.host.routing.route import Router

FORTY_TWO = "42" * 16


def router(route: str) -> Router:
    return Router("", [HttpFunction("f", "f", route, None, "ANONYMOUS", "req")])


@pytest.mark.parametrize(
    "constraint",
    [
        "colour",
        "int(",
        "int(1)",
        "int()",
        "length",
        "length(1,2,3)",
        "length(x)",
        "length(-1)",
        "length(2,1)",
        "min",
        "min(1,2)",
        "min(1.0)",
        "range(1)",
        "range(2,1)",
        "maxlength(2147483648)",
        "regex",
        "string",
        " int",
        "regex(^(a|b):c$)",
    ],
)
def test_a_constraint_that_is_unknown_or_has_wrong_arguments_is_refused(constraint: str) -> None:
    with pytest.raises(AppError, match=r"route .*; in Azure the whole app is down"):
        router(f"a/{{x:{constraint}}}")


TAKEN = {
    "int": ["0", "-5", "+5", "007", " 5 ", "\t5", "2147483647", "-2147483648"],
    "long": ["2147483648", "-9223372036854775808", "0" * 5_000 + "1"],
    "bool": ["true", "TRUE", " False "],
    "guid": [
        FORTY_TWO,
        "0be5edd1-a2a1-4495-a741-657f2814f3cd",
        "{0be5edd1-a2a1-4495-a741-657f2814f3cd}",
        "(0BE5EDD1-a2a1-4495-a741-657f2814f3cd)",
        f" {FORTY_TWO} ",
        "{0x0be5edd1, 0xa2a1,0x4495,{0xa7,0x41,0x65,0x7f,0x28,0x14,0xf3,0x0d}}",
    ],
    "double": ["1", "1.5", ".5", "5.", "-1,000.5e-3", "1e999", "1E+5", "NaN", "-infinity", "+Infinity", "1,,2", " 1 "],
    "float": ["1.5", "1e39"],
    "decimal": ["1.5", "1,000", "5-", "5 - ", "79228162514264337593543950335", "-.5"],
    "datetime": [
        "2024-01-31",
        "2024-01-31T10:20:30.5Z",
        "2024-01-31 10:20",
        "01/31/2024",
        "1/31/24",
        "10:20 PM",
        "10 am",
        "Wed, 31 Jan 2024 10:20:30 GMT",
        "31 January 2024",
        "January 31, 2024",
        "31-jan-24",
        "2024-01-31T10:20:30+02:00",
        "2024 January",
        "January 31",
        "2/29/24",
    ],
    "alpha": ["aB", "a\n"],
    "required": ["a"],
    "length(2)": ["ab", "😀"],
    "length( 2 , 3 )": ["ab", "abc"],
    "minlength(2)": ["ab"],
    "maxlength(2)": ["ab"],
    "min(5)": ["5", "+6"],
    "max(5)": ["5", "-6"],
    "range(5,6)": ["6"],
    "INT": ["5"],
    "int:min(5)": ["5"],
    "file": ["a.txt", ".git", "a..b"],
    "nonfile": ["a", "a.", "a.."],
    "regex(^v\\d{{2}}$)": ["V12", "v12\n"],
    "regex(b)": ["abc"],
    "regex()": ["a"],
    "regex(^(a|b)x:c$)": ["bx:c"],
    "regex(^a=b$)": ["a=b"],
    "regex(^(?<x>a)\\k<x>\\z)": ["aa"],
    "regex(^\\p{{Lu}}\\w$)": ["éÉ", "Ae"],
    "regex(^[^\\W\\d]\\Z)": ["a\n"],
    "regex(^..$)": ["😀"],
    "regex(^[]a[&&]+$)": ["a][&"],
}

REFUSED = {
    "int": ["1.0", "2147483648", "٣", "x", "+ 5", "5-", "0x5", "1,000", "1_0", "9" * 5_000],
    "long": ["9223372036854775808", "1" * 20],
    "bool": ["1", "yes", "fal\u017fe"],
    "guid": [
        "0be5edd1",
        FORTY_TWO + "0",
        "{0be5edd1-a2a1-4495-a741-657f2814f3cd)",
        f"{{{FORTY_TWO}}}",
        "urn:uuid:" + FORTY_TWO,
    ],
    "double": ["x", "1e", ",5", ".", "1_0", "1.5.5", "infinit", "5-", "+-5", "0x5", "inf", "1 5"],
    "decimal": ["1e5", "79228162514264337593543950336", "NaN", "+5-", "- 5"],
    "datetime": [
        "2024-02-30",
        "31/12/2024",
        "Thu, 31 Jan 2024",
        "24:00",
        "10",
        "2024",
        "x",
        "13 am",
        "2/29/23",
        "2024-01-31T",
        "10:20:30+15:00",
        "2024-01-31 10:60",
    ],
    "alpha": ["a1", "é", "a b"],
    "length(2)": ["abc", "a"],
    "length(2,3)": ["a", "abcd"],
    "minlength(2)": ["a"],
    "maxlength(2)": ["abc", "a😀"],
    "min(5)": ["4", "x", "5.5"],
    "max(5)": ["6"],
    "range(5,6)": ["7"],
    "int:min(5)": ["4", "2147483648"],
    "file": ["a", "a.", "a.."],
    "nonfile": ["a.txt"],
    "regex(^v\\d{{2}}$)": ["v123"],
    "regex(^\\w$)": ["½"],
    "regex(^.$)": ["😀"],
    "regex(^a{{,2}}$)": ["aa"],
}


@pytest.mark.parametrize(("constraint", "value"), [(name, value) for name in TAKEN for value in TAKEN[name]])
def test_a_constraint_takes_what_net_reads(constraint: str, value: str) -> None:
    assert router(f"{{*x:{constraint}}}").find("GET", f"/{value}") is not None


@pytest.mark.parametrize(("constraint", "value"), [(name, value) for name in REFUSED for value in REFUSED[name]])
def test_a_constraint_refuses_what_net_does_not_read(constraint: str, value: str) -> None:
    assert router(f"{{*x:{constraint}}}").find("GET", f"/{value}") is None


@pytest.mark.parametrize("pattern", ["[", "(", "a++", "(?P<x>a)", "[a-z-[aeiou]]", "\\p{{IsGreek}}"])
def test_a_pattern_that_cannot_be_read_breaks_its_requests_and_is_named_at_the_start(
    pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    routes = router(f"a/{{x:regex({pattern})}}")
    assert capsys.readouterr().err.count("\n") == 1
    assert routes.find("GET", "/b") is None
    with pytest.raises(AppError, match="pattern"):
        routes.find("GET", "/a/b")
