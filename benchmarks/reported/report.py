"""A run as Markdown."""

from collections.abc import Mapping
from typing import Any

from ..summary import Samples
from .table import comparison, markdown, number
from .targets import targets


def report(result: Mapping[str, Any]) -> str:
    """The targets, and all measurements."""
    parts = [judged(result["samples"])]
    for bench, variants in result["samples"].items():
        metrics = dict.fromkeys(metric for values in variants.values() for metric in values)
        parts += [f"### {bench}", markdown(["", *variants], comparison(result["samples"], bench, metrics))]
    parts += [f"failed: {bench}: {variant}: {why}" for bench, variant, why in result["failed"]]
    return "\n\n".join(parts)


def judged(samples: Samples) -> str:
    """Each target, its measurement, and whether the run reached it."""
    rows = [
        [target.what, number(target.figure), number(target.must), number(target.aim), target.verdict]
        for target in targets(samples)
    ]
    return markdown(["what", "measured", "must", "aim", "reached"], rows)
