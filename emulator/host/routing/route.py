"""Which function answers a request. The Functions host chooses in another way than ASP.NET Core's endpoints.

Facts, measured on the host, and in the source of ASP.NET Core's `RouteCollection` and `RoutePatternMatcher`:
- The host tries functions in the order of their names in upper case (`_` sorts behind the letters). The first function
  whose template, constraints and methods fit answers. A literal does not go before a parameter.
- Text matches in any case, and a slash at the end of a path means nothing.
- An empty segment fits nothing. A catch-all takes one, but not as its first segment.
- A parameter without a value is absent.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..app import AppError
from .constraint import TAKES_NOTHING, Check, compile_constraint
from .dotnet import upper
from .function import HttpFunction
from .template import Literal, Parameter, Segment, parse

REMEMBERED_PATHS = 256  # clients repeat a few paths


class Router:
    """Finds the function for a method and a path.

    `below` is the route prefix. The host puts it and a slash before each route, whatever the prefix ends in. Raises
    AppError when it can't read the resulting template.
    """

    def __init__(self, below: str, functions: Iterable[HttpFunction]) -> None:
        ordered = sorted(functions, key=lambda function: upper(function.name))
        self._routes = [
            _route(f"{below}/{function.route}" if below else function.route, function) for function in ordered
        ]
        self.templates = list(dict.fromkeys(f"/{route.template.removeprefix('/')}" for route in self._routes))
        self.find = functools.lru_cache(REMEMBERED_PATHS)(self._find)

    def _find(self, method: str, path: str) -> tuple[HttpFunction, dict[str, str]] | None:
        """The function that serves the request and its route parameters, or None (a 404 in the host).

        `path` comes from `request_path`. Raises AppError where the host answers 500: at a pattern that it can't read.
        """
        method = upper(method)
        parts = path.split("/")[1:]
        filled = parts[:-1] if parts[-1:] == [""] else parts
        for route in self._routes:
            methods = route.function.methods
            if (methods is None or method in methods) and (values := route.match(filled, parts)) is not None:
                return route.function, values
        return None


@dataclass(frozen=True)
class Route:
    """A parsed template and its function. `checks` has the parameters with constraints."""

    template: str
    segments: Sequence[Segment]
    checks: Mapping[Parameter, Sequence[Check]]
    function: HttpFunction

    def match(self, filled: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
        """The parameters' values when the path fits, else None. `parts` is `filled` and maybe an empty last one."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            part = segment[0]
            if isinstance(part, Parameter) and part.catch_all:
                rest = "/".join(parts[index:])
                if filled[index:] and not filled[index]:
                    return None
                values |= {part.name: rest} if rest else {}
                break
            if index >= len(filled):
                if len(segment) > 1 or isinstance(part, Literal) or not (part.optional or part.default is not None):
                    return None
                continue
            if not filled[index] or (found := _match_segment(segment, filled[index])) is None:
                return None
            values |= found
        else:
            if len(filled) > len(self.segments):
                return None
        return self._checked(values)

    def _checked(self, values: dict[str, str]) -> dict[str, str] | None:
        for segment in self.segments:
            for part in segment:
                if isinstance(part, Parameter) and part.default is not None:
                    values.setdefault(part.name, part.default)
        for parameter, checks in self.checks.items():
            value = values.get(parameter.name)
            names = {text.lower() for text in parameter.constraints}
            if value is None and not parameter.optional and names != {TAKES_NOTHING}:
                return None
            if value is not None and not all(check(value) for check in checks):
                return None
        return values


def _match_segment(segment: Segment, text: str) -> dict[str, str] | None:
    if len(segment) > 1:
        return _match_several(segment, text)
    part = segment[0]
    if isinstance(part, Parameter):
        return {part.name: text}
    return {} if upper(part.text) == upper(text) else None


def _match_several(segment: Segment, text: str) -> dict[str, str] | None:
    """A segment of literals and parameters, read from its end, so that a literal takes the last place where it fits."""
    *others, before, last = segment
    found = _match_from_right(segment, text)
    if found is None and isinstance(last, Parameter) and last.optional and isinstance(before, Literal):
        return None if upper(text).endswith(upper(before.text)) else _match_from_right(others, text)
    return found


def _match_from_right(segment: Segment, text: str) -> dict[str, str] | None:
    values: dict[str, str] = {}
    capitals = upper(text)
    end = len(text)  # of the part that is not read yet
    pending: Parameter | None = None
    for part in reversed(segment):
        if isinstance(part, Parameter):
            pending = part
            continue
        literal = upper(part.text)
        place = capitals.rfind(literal, 0, max(end - 1, 0) if pending else end)
        if place < 0 or (part is segment[-1] and place + len(literal) != end):
            return None
        if pending:
            values[pending.name] = text[place + len(literal) : end]
            pending = None
        end = place
    if pending:
        values[pending.name], end = text[:end], 0
    return values if end == 0 and all(values.values()) else None


def _route(template: str, function: HttpFunction) -> Route:
    try:
        segments = parse(template)
        parameters = [part for segment in segments for part in segment if isinstance(part, Parameter)]
        checks = {
            parameter: [compile_constraint(text) for text in parameter.constraints]
            for parameter in parameters
            if parameter.constraints
        }
    except AppError as error:
        raise AppError(
            f"function {function.name}, route {template!r}: {error}; in Azure the whole app is down"
        ) from error
    return Route(template, segments, checks, function)
