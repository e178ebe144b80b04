"""One thing to measure, in several variants to compare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Sample = Mapping[str, float]  # metric: value; a metric's name ends with its unit


@dataclass(frozen=True)
class Bench:
    """`variants` maps a variant's name to a function that takes one sample."""

    name: str
    variants: Mapping[str, Callable[[], Sample]]


class Failed(Exception):
    """A sample failed; the message says why."""
