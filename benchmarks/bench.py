"""One thing to measure, in several variants that are compared with each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Sample = Mapping[str, float]  # metric: value, the metric's unit as the end of its name


@dataclass(frozen=True)
class Bench:
    """`variants` maps the name of each to a function that takes one sample."""

    name: str
    variants: Mapping[str, Callable[[], Sample]]


class Failed(Exception):
    """A sample that could not be taken; the message says why."""
