"""A run as Markdown."""

from collections.abc import Mapping
from typing import Any

from .table import comparison, markdown


def report(result: Mapping[str, Any]) -> str:
    parts = []
    for bench, variants in result["samples"].items():
        metrics = list(dict.fromkeys(metric for values in variants.values() for metric in values))
        parts += [f"### {bench}", markdown(["", *variants], comparison(result["samples"], bench, metrics))]
    for bench, variant, why in result["failed"]:
        parts.append(f"failed: {bench}: {variant}: {why}")
    return "\n\n".join(parts)
