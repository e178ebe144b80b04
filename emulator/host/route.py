"""Route templates as the Functions host reads them: literals, `{name}`, `{name:int}`, `{name?}` and `{*rest}`.

Facts, from ASP.NET Core's routing, which the host uses:
- Text is compared without regard to case, a trailing slash is accepted, an empty segment matches only a catch-all.
- Of several matches the best by segment, left to right, wins: literal, constrained parameter, parameter, catch-all.
- A route that matches with another method does not count; the next one is asked.
- A path is cut into segments before it is decoded, so `a%2Fb` stays one segment.
"""

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from .app import AppError
from .constraint import Check, compile_constraints
from .function import HttpFunction

LITERAL, CONSTRAINED, PLAIN, CATCH_ALL = range(4)
REMEMBERED_PATHS = 256  # clients use few, again and again

_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<parameter>(?:\{\{|\}\}|[^{}])*)\}|(?P<text>[^{}]+)")
_PARAMETER = re.compile(r"(?P<star>\*{0,2})(?P<name>[\w-]+)(?P<constraints>:.*?)?(?P<optional>\??)")


@dataclass(frozen=True)
class Parameter:
    name: str
    checks: Sequence[Check]


@dataclass(frozen=True)
class Segment:
    """What stands between two slashes: a pattern with one group per parameter. `rank` orders it among its rivals."""

    rank: int
    pattern: re.Pattern[str]
    parameters: Sequence[Parameter]
    optional: bool

    def match(self, text: str) -> dict[str, str] | None:
        """The values of the parameters in `text`, or None."""
        if (found := self.pattern.fullmatch(text)) is None:
            return None
        values = list(zip(self.parameters, found.groups(), strict=True))
        if not all(check(value) for parameter, value in values for check in parameter.checks):
            return None
        return {parameter.name: value for parameter, value in values}


@dataclass(frozen=True)
class Route:
    """A compiled template, and the function it leads to."""

    template: str
    segments: Sequence[Segment]
    function: HttpFunction

    @property
    def precedence(self) -> tuple[int, ...]:
        return tuple(segment.rank for segment in self.segments)

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """The parameters' values when the decoded `parts` of a path fit, else None."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            rest = parts[index:]
            if segment.rank == CATCH_ALL:
                rest = parts[index:] = ["/".join(rest)]
            elif rest in ([], [""]):
                return values if all(missing.optional for missing in self.segments[index:]) else None
            if (found := segment.match(rest[0])) is None:
                return None
            values |= found
        return values if parts[len(self.segments) :] in ([], [""]) else None


class Router:
    """Finds the function for a method and a path.

    `below` is the route prefix. Raises AppError when a template can't be read.
    """

    def __init__(self, below: str, functions: Iterable[HttpFunction]) -> None:
        routes = [_compile("/".join(filter(None, (below, function.route))), function) for function in functions]
        self.templates = list(dict.fromkeys(f"/{route.template}" for route in routes))
        self._routes = sorted(routes, key=lambda route: route.precedence)
        self.find = functools.lru_cache(REMEMBERED_PATHS)(self._find)

    def _find(self, method: str, raw_path: str) -> tuple[HttpFunction, dict[str, str]] | None:
        """The function that serves the request and its decoded route parameters, or None (a 404 in the host)."""
        parts = [unquote(part) for part in raw_path.removeprefix("/").split("/")]
        for route in self._routes:
            methods = route.function.methods
            if (methods is None or method in methods) and (values := route.match(parts[:])) is not None:
                return route.function, values
        return None


def _compile(template: str, function: HttpFunction) -> Route:
    try:
        segments = [_segment(tokens) for tokens in _split(template)]
    except AppError as error:
        raise AppError(f"function {function.name}, route {template!r}: {error}") from error
    return Route(template, segments, function)


def _split(template: str) -> list[list[str | re.Match[str]]]:
    """The template's segments, each a list of literal text and parameters; a slash inside braces does not cut."""
    segments: list[list[str | re.Match[str]]] = [[]] if template else []
    end = 0
    for token in _TOKEN.finditer(template):
        if token.start() != end:
            break
        end = token.end()
        if token["parameter"] is not None:
            segments[-1].append(_parameter(token["parameter"].replace("{{", "{").replace("}}", "}")))
            continue
        first, *others = (token["text"] or token["brace"][0]).split("/")
        segments[-1] += filter(None, [first])
        segments += [[text] if text else [] for text in others]
    if end != len(template):
        raise AppError("its braces don't match")
    return segments


def _parameter(text: str) -> re.Match[str]:
    if (found := _PARAMETER.fullmatch(text)) is None:
        raise AppError(f"cannot read the parameter {{{text}}}")
    return found


def _segment(tokens: Sequence[str | re.Match[str]]) -> Segment:
    found = [token for token in tokens if not isinstance(token, str)]
    parameters = [Parameter(token["name"], compile_constraints(token["constraints"] or "")) for token in found]
    catch_all = any(token["star"] for token in found)
    group = "(.*)" if catch_all else "(.+)"
    pattern = "".join(re.escape(token) if isinstance(token, str) else group for token in tokens)
    constrained = len(tokens) > 1 or any(parameter.checks for parameter in parameters)
    return Segment(
        rank=CATCH_ALL if catch_all else LITERAL if not found else CONSTRAINED if constrained else PLAIN,
        pattern=re.compile(pattern, re.IGNORECASE | re.DOTALL),
        parameters=parameters,
        optional=any(token["optional"] for token in found),
    )
