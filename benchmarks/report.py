"""A run as Markdown."""

from collections.abc import Mapping
from typing import Any

from .table import comparison, markdown, number
from .targets import targets


def report(result: Mapping[str, Any]) -> str:
    judged = [
        (
            target.what,
            number(target.figure),
            *((f"{number(bound)}") for bound in (target.must, target.aim)),
            target.verdict,
        )
        for target in targets(result["samples"])
        if target.figure is not None
    ]
    parts = [markdown(["what", "measured", "must", "aim", "reached"], judged)]
    for bench, variants in result["samples"].items():
        metrics = list(dict.fromkeys(metric for values in variants.values() for metric in values))
        parts += [f"### {bench}", markdown(["", *variants], comparison(result["samples"], bench, metrics))]
    for bench, variant, why in result["failed"]:
        parts.append(f"failed: {bench}: {variant}: {why}")
    return "\n\n".join(parts)
