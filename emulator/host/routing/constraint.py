"""The constraints of route parameters: `int`, `length(1,5)`, `regex(^v)` and the rest of ASP.NET Core's default map.

Source: `RouteOptions`, `ParameterPolicyActivator` and the constraints of ASP.NET Core, which the Functions host uses.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..app import AppError
from . import dotnet
from .date import is_datetime
from .pattern import translated

Check = Callable[[str], bool]

TAKES_NOTHING = "nonfile"
"""The only constraint that passes when its parameter has no value."""


def _length(low: int, high: int | None = None) -> Check:
    high = low if high is None else high
    if not 0 <= low <= high:
        raise ValueError
    return lambda value: low <= dotnet.length(value) <= high


def _range(low: int, high: int) -> Check:
    if low > high:
        raise ValueError
    return lambda value: (number := dotnet.integer(value, bits=64)) is not None and low <= number <= high


def _minimum(low: int) -> Check:
    return _range(low, dotnet.INT64[-1])


def _maximum(high: int) -> Check:
    return _range(dotnet.INT64[0], high)


def _regex(pattern: str) -> Check:
    try:
        compiled = translated(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        reason = f"the pattern {pattern!r} can't be read here: {error}"
        print(f"{reason}; where .NET can't either, each request that gets to it is a 500 in Azure", file=sys.stderr)

        def refuse(value: str) -> bool:
            raise AppError(reason)

        return refuse
    return lambda value: compiled.search(dotnet.code_units(value)) is not None


def _is_file_name(value: str) -> bool:
    _, dot, after = value.rpartition("/")[2].partition(".")
    return dot != "" and after.strip(".") != ""


@dataclass(frozen=True)
class Kind:
    """Makes a check from arguments. Says how many arguments there can be, and how each is read (None: unchanged)."""

    make: Callable[..., Check]
    counts: Sequence[int] = (0,)
    bits: int | None = None


def _plain(check: Check) -> Kind:
    return Kind(lambda: check)


KINDS = {
    "int": _plain(lambda value: dotnet.integer(value, bits=32) is not None),
    "long": _plain(lambda value: dotnet.integer(value, bits=64) is not None),
    "bool": _plain(dotnet.is_bool),
    "datetime": _plain(is_datetime),
    "decimal": _plain(dotnet.is_decimal),
    "double": _plain(dotnet.is_float),
    "float": _plain(dotnet.is_float),
    "guid": _plain(dotnet.is_guid),
    "alpha": _plain(lambda value: re.search("^[A-Za-z]*$", value) is not None),  # `$` also fits before a last newline
    "required": _plain(lambda value: value != ""),
    "file": _plain(_is_file_name),
    "nonfile": _plain(lambda value: not _is_file_name(value)),
    "length": Kind(_length, (1, 2), bits=32),
    "minlength": Kind(lambda low: _length(low, dotnet.INT32[-1]), (1,), bits=32),
    "maxlength": Kind(lambda high: _length(0, high), (1,), bits=32),
    "min": Kind(_minimum, (1,), bits=64),
    "max": Kind(_maximum, (1,), bits=64),
    "range": Kind(_range, (2,), bits=64),
    "regex": Kind(_regex, (1,)),
}


def compile_constraint(text: str) -> Check:
    """The check for a text such as `int` or `length(1,5)`.

    Raises AppError where the host refuses to start: for an unknown name and for wrong arguments. The check raises
    AppError where the host answers 500: it meets an unreadable `regex` only at the first request that gets there.
    """
    name, parenthesis, inside = text.partition("(")
    if not parenthesis or not text.endswith(")"):
        name, arguments = text, []
    else:
        arguments = [inside[:-1]] if name.lower() == "regex" else inside[:-1].split(",")
    kind = KINDS.get(name.lower())
    if kind is None:
        raise AppError(f"there is no constraint {text!r}; there are {', '.join(sorted(KINDS))}")
    try:
        if len(arguments) not in kind.counts:
            raise ValueError
        return kind.make(*(_argument(argument, kind.bits) for argument in arguments))
    except ValueError:
        raise AppError(f"the constraint {text!r} has wrong arguments") from None


def _argument(text: str, bits: int | None) -> int | str:
    if bits is None:
        return text
    if (number := dotnet.integer(text.strip(), bits)) is None:
        raise ValueError
    return number
