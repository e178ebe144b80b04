"""Makes numbers that lie between a schema's bounds."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .flat import Node
from .place import Place

SPAN = 100  # a number's greatest distance from its only bound; without bounds it lies from 1 to 100
TRIED = 20  # multiples; for most steps the first is exact in floating point


def integer(node: Node, place: Place) -> int:
    step = Fraction(str(node["multipleOf"])).numerator if "multipleOf" in node else 1
    lowest, multiples = _multiples(node, step, place)
    return int(step * (lowest + place.pick(multiples)))


def number(node: Node, place: Place) -> float:
    if "multipleOf" in node:
        return _multiple(node, place)
    low, high = _bounds(node)
    if low is None and high is None:
        low = 1.0
    if low is None:
        low = high - SPAN if high is not None else 0
    if high is None:
        high = low + SPAN
    for value in _between(low, high, place):
        if _is_within(node, value):
            return value
    raise place.unsatisfiable(f"no number is between {_told(node)}")


def _bounds(node: Node) -> tuple[Any, Any]:
    low = [node[name] for name in ("minimum", "exclusiveMinimum") if name in node]
    high = [node[name] for name in ("maximum", "exclusiveMaximum") if name in node]
    return max(low, default=None), min(high, default=None)


def _between(low: float, high: float, place: Place) -> Iterator[float]:
    """Yields values to try, readable ones first."""
    part = (place.pick(997) + 1) / 1_000  # 997 is prime, so the attempts go through all parts
    value = low + (high - low) * part
    if math.isfinite(value):
        yield round(value, 2)
        yield value
    yield low / 2 + high / 2
    yield low
    yield high
    yield math.nextafter(low, math.inf)
    yield math.nextafter(high, -math.inf)


def _is_within(node: Node, value: float) -> bool:
    return (
        node.get("minimum", value) <= value <= node.get("maximum", value)
        and not value <= node.get("exclusiveMinimum", -math.inf)
        and not value >= node.get("exclusiveMaximum", math.inf)
    )


def _multiple(node: Node, place: Place) -> float:
    """A multiple that is exact in floating point, too, because validators divide."""
    given = node["multipleOf"]
    step = Fraction(str(given))
    lowest, multiples = _multiples(node, step, place)
    for nth in range(min(multiples, TRIED)):
        exact = step * (lowest + (place.pick(multiples) + nth) % multiples)
        value = exact.numerator if exact.denominator == 1 else float(exact)
        if _is_within(node, value) and (value / given).is_integer():
            return value
    raise place.unsatisfiable(f"no multiple of {given} is between {_told(node)}")


def _multiples(node: Node, step: int | Fraction, place: Place) -> tuple[int, int]:
    """The lowest factor, and how many factors are between the bounds."""
    low = high = None
    if "minimum" in node:
        low = -_floor(-node["minimum"], step)
    if "exclusiveMinimum" in node:
        above = _floor(node["exclusiveMinimum"], step) + 1
        low = above if low is None else max(low, above)
    if "maximum" in node:
        high = _floor(node["maximum"], step)
    if "exclusiveMaximum" in node:
        below = -_floor(-node["exclusiveMaximum"], step) - 1
        high = below if high is None else min(high, below)
    if low is None:
        low = 1 if high is None or high >= 1 else high - SPAN + 1
    highest = low + SPAN - 1 if high is None else high
    if highest < low:
        kind = "whole number" if step == 1 else f"multiple of {float(step):g}"
        raise place.unsatisfiable(f"no {kind} is between {_told(node)}")
    return low, highest - low + 1


def _floor(bound: float, step: int | Fraction) -> int:
    """The factor of the highest multiple up to the bound."""
    if type(bound) is int:  # in a tenth of a fraction's time
        return bound // step
    return math.floor(Fraction(bound) / step)


def _told(node: Node) -> str:
    names = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    return " and ".join(f"{name} {node[name]}" for name in names if name in node)
