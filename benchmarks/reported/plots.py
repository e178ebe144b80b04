"""Two pictures of a run: latency against concurrency, and how late frames arrive."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..summary import Samples, median

CONNECTIONS, STREAMS = (1, 16, 64), (1, 50, 500, 1_000)


def plot(result: Mapping[str, Any], folder: Path) -> None:
    """Writes latency.png and frames.png, each if the run has its benches."""
    samples = result["samples"]
    latency = {n: f"json, {n} connections" for n in CONNECTIONS}
    frames = {n: f"200 frames every 20 ms, {n} streams" for n in STREAMS}
    draw(samples, latency, ("p50_ms", "p99_ms"), ("connections", "ms to a whole answer"), folder / "latency.png")
    draw(
        samples,
        frames,
        ("delay_p50_ms", "delay_p99_ms"),
        ("streams", "ms a frame is on its way"),
        folder / "frames.png",
    )


def draw(
    samples: Samples, benches: Mapping[int, str], metrics: Sequence[str], labels: tuple[str, str], file: Path
) -> None:
    """One line per variant and metric: the first metric solid, the second dotted. Both axes are logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    variants = dict.fromkeys(variant for bench in benches.values() for variant in samples.get(bench, ()))
    if not variants:
        return
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for number, variant in enumerate(variants):
        for metric, style in zip(metrics, ("-o", ":"), strict=True):
            points = {n: median(samples, bench, variant, metric) for n, bench in benches.items()}
            drawn = {n: value for n, value in points.items() if value is not None}
            label = variant if style == "-o" else None
            axes.plot(list(drawn), list(drawn.values()), style, color=f"C{number}", label=label)
    axes.set(xscale="log", yscale="log", xlabel=labels[0], ylabel=f"{labels[1]}, median (dotted: p99)")
    axes.set_xticks(list(benches), list(map(str, benches)))
    axes.minorticks_off()
    axes.legend()
    figure.savefig(file, dpi=120)
    pyplot.close(figure)
