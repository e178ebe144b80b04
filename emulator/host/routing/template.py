"""Route templates, as ASP.NET Core reads them: `a/{b:int}/{c}.{d?}`, `{a=1}`, `{*rest}`, `{**rest}`.

Source: `RoutePatternParser` and `RouteParameterParser` of ASP.NET Core, which the Functions host uses. They also read
names like `1a` and ` a `, `:int` twice, and a parenthesis that never closes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..app import AppError


@dataclass(frozen=True)
class Parameter:
    """`constraints` are texts like `length(1,5)`. `default` is the value when a path has none."""

    name: str
    constraints: Sequence[str] = ()
    default: str | None = None
    optional: bool = False
    catch_all: bool = False


@dataclass(frozen=True)
class Literal:
    """`optional` when the parameter behind it is optional, as for the dot of `{name}.{ext?}`."""

    text: str
    optional: bool = field(default=False, compare=False)


Segment = Sequence[Literal | Parameter]
"""The parts between two slashes: literals and parameters in turn, mostly one of them."""

# Braces inside a parameter are doubled. The first brace that is not doubled ends it, even behind a slash.
_PART = re.compile(r"(?P<literal>(?:\{\{|\}\}|[^{}/])+)|\{(?!\{)(?P<parameter>(?:\{\{|\}\}|[^{}])*+)\}")


def parse(template: str) -> list[Segment]:
    """The template's segments. Raises AppError, in one clause, where ASP.NET Core refuses it."""
    if template.startswith("~") and not template.startswith("~/"):
        raise AppError("it begins with '~'")
    template = template.removeprefix("~").removeprefix("/")
    segments = []
    at = 0
    while at < len(template):
        if template[at] == "/":
            raise AppError("two slashes stand side by side")
        segment, at = _read_segment(template, at)
        segments.append(segment)
        at += 1  # the slash, which means nothing at the end
    _check(segments)
    return segments


def _read_segment(template: str, at: int) -> tuple[Segment, int]:
    parts: list[Literal | Parameter] = []
    while at < len(template) and template[at] != "/":
        if (found := _PART.match(template, at)) is None:
            raise AppError("its braces don't match")
        at = found.end()
        text = (found["literal"] or found["parameter"] or "").replace("}}", "}").replace("{{", "{")
        parts.append(_literal(text) if found["literal"] else _parameter(text))
    if len(parts) > 1:
        parts = _checked(parts)
    return parts, at


def _literal(text: str) -> Literal:
    if "?" in text:
        raise AppError(f"the literal {text!r} has a '?'")
    return Literal(text)


def _parameter(text: str) -> Parameter:
    stars = 2 if text.startswith("**") else text.startswith("*")
    optional = text.endswith("?")
    if stars and optional:
        raise AppError(f"the catch-all {{{text}}} can't be optional")
    body = text[stars : len(text) - optional]
    # The first character belongs to the name, whatever it is.
    end = next((i for i, character in enumerate(body) if i and character in ":="), len(body))
    name = body[:end]
    if not name or set(name) & set("/{}?*"):
        raise AppError(f"{name!r} can't be a parameter's name")
    constraints, default = _policies(body[end:])
    if optional and default is not None:
        raise AppError(f"the parameter {{{text}}} is optional and has a default")
    return Parameter(name, tuple(constraints), default, optional, bool(stars))


def _policies(text: str) -> tuple[list[str], str | None]:
    """The constraints in `:int:min(1)=5`, and the default behind its `=`."""
    constraints = []
    while text.startswith(":"):
        end = _end_of_constraint(text)
        constraints.append(text[1:end])
        text = text[end:]
    return list(filter(None, constraints)), text[1:] if text else None


def _end_of_constraint(text: str) -> int:
    """Where the constraint at the beginning of `text` ends. Inside parentheses, a `:` or `=` ends it only when no
    parenthesis closes later. Otherwise the constraint goes on behind the next closing parenthesis."""
    inside = False
    i = 1
    while i < len(text):
        if text[i] in ":=":
            closing = text.find(")", i + 1) if inside else -1
            if closing < 0:
                return i
            i = closing
        elif text[i] == "(":
            inside = True
        elif text[i] == ")" and inside and text[i + 1 : i + 2] in (":", "="):
            return i + 1
        i += 1
    return len(text)


def _checked(parts: list[Literal | Parameter]) -> list[Literal | Parameter]:
    """The parts of a segment with several parts. The dot before an optional parameter is marked."""
    if any(isinstance(part, Parameter) and part.catch_all for part in parts):
        raise AppError("a catch-all shares its segment")
    for before, part in pairwise(parts):
        if isinstance(before, Parameter) and isinstance(part, Parameter):
            raise AppError("two parameters stand side by side")
    if any(isinstance(part, Parameter) and part.optional for part in parts[:-1]):
        raise AppError("an optional parameter is not the last of its segment")
    *others, before, last = parts
    if isinstance(last, Parameter) and last.optional:
        if before != Literal("."):
            raise AppError("an optional parameter follows something other than a dot")
        return [*others, replace(before, optional=True), last]
    return parts


def _check(segments: list[Segment]) -> None:
    parameters = [part for segment in segments for part in segment if isinstance(part, Parameter)]
    names = [parameter.name.upper() for parameter in parameters]
    if twice := [parameter.name for parameter in parameters if names.count(parameter.name.upper()) > 1]:
        raise AppError(f"the parameter {twice[0]!r} stands in it twice")
    if any(part.catch_all for segment in segments[:-1] for part in segment if isinstance(part, Parameter)):
        raise AppError("a catch-all is not its last segment")
