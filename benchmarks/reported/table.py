"""The Markdown table of a run: one row per bench and metric, one column per variant."""

import math
from collections.abc import Iterable

from ..summary import Samples, median, ratio

OURS = "ours"


def number(value: float | None) -> str:
    """A number with three significant figures; thousands have commas."""
    if value is None or value == math.inf:
        return "–" if value is None else "never"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison(samples: Samples, bench: str, metrics: Iterable[str]) -> list[list[str]]:
    """One row per metric: the medians of all variants, with variant ÷ ours in brackets."""
    rows = []
    for metric in metrics:
        cells = []
        for variant in samples[bench]:
            value, times = median(samples, bench, variant, metric), ratio(samples, bench, variant, OURS, metric)
            cells.append(number(value) + (f" ({number(times)}×)" if times is not None and variant != OURS else ""))
        rows.append([metric, *cells])
    return rows
