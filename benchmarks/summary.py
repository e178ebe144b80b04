"""Sums up the samples of a run: medians, and ratios between samples of the same round."""

import math
import statistics
from collections.abc import Mapping, Sequence

Samples = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]  # bench: variant: metric: one value per round


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of the values do not exceed; NaN without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def median(samples: Samples, bench: str, variant: str, metric: str) -> float | None:
    """The median over the rounds; None for a metric that nobody measured."""
    values = samples.get(bench, {}).get(variant, {}).get(metric)
    return statistics.median(values) if values else None


def ratio(samples: Samples, bench: str, variant: str, other: str, metric: str) -> float | None:
    """The median over the rounds of `variant` ÷ `other`. Both samples of a round ran within seconds of each other."""
    mine, theirs = (samples.get(bench, {}).get(name, {}).get(metric) for name in (variant, other))
    pairs = [m / t for m, t in zip(mine or (), theirs or (), strict=False) if t]
    return statistics.median(pairs) if pairs else None


def added(samples: Samples, bench: str, variant: str, metric: str) -> float | None:
    """The median over the rounds of `variant` minus `direct`."""
    mine, theirs = (samples.get(bench, {}).get(name, {}).get(metric) for name in (variant, "direct"))
    pairs = [m - t for m, t in zip(mine or (), theirs or (), strict=False)]
    return statistics.median(pairs) if pairs else None
