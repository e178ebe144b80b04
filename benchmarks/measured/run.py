"""A run: every bench, its variants in turn, round by round, so that the machine's moods meet all variants alike."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..bench import Bench, Failed


@dataclass
class Run:
    """`samples[bench][variant][metric]` has one value per round; `failed` is (bench, variant, why)."""

    samples: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    loads: dict[str, float] = field(default_factory=dict)

    def take(self, benches: Iterable[Bench], rounds: int, step: Callable[[str], Any] = lambda text: None) -> None:
        """Adds the benches' samples. Leaves a variant that failed once out of the bench's later rounds."""
        for bench in benches:
            variants = dict(bench.variants)
            for _ in range(rounds):
                for name, sample in list(variants.items()):
                    step(f"{bench.name}: {name}")
                    try:
                        self.add(bench.name, name, sample())
                    except Failed as reason:
                        self.failed.append((bench.name, name, str(reason)))
                        del variants[name]

    def add(self, bench: str, variant: str, sample: Any) -> None:
        metrics = self.samples.setdefault(bench, {}).setdefault(variant, {})
        for metric, value in sample.items():
            if not math.isnan(value):
                metrics.setdefault(metric, []).append(value)


def steps(benches: Sequence[Bench], rounds: int) -> int:
    return rounds * sum(len(bench.variants) for bench in benches)
