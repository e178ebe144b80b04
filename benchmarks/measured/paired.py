"""What two benches of one cost share: their options, and the ratios that they print."""

import argparse
from collections.abc import Iterable

from ..summary import ratio
from ..workload import Workload
from .run import Run


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    root.add_argument("--starts", type=int, default=5, help="of the proxy (default: %(default)s)")
    root.add_argument("--rounds", type=int, default=8, help="of each start (default: %(default)s)")
    root.add_argument("--seconds", type=float, default=0.5, help="length of a sample (default: %(default)s)")
    root.add_argument("--backend", default="public", help="runtime: in Microsoft's worker library, Python 3.13 and up")
    return root


def print_ratios(run: Run, workloads: Iterable[Workload], with_it: str, without: str) -> None:
    """For each workload, the median of the rounds' ratios and the ratio of the best samples."""
    for workload in workloads:
        variants = run.samples[workload.name]
        for metric, unit, best in (("requests_s", "requests/s", max), ("cpu_us_request", "CPU µs a request", min)):
            middle = ratio(run.samples, workload.name, with_it, without, metric)
            mine, theirs = best(variants[with_it][metric]), best(variants[without][metric])
            print(f"{workload.name:31} {unit:16} {middle:.3f} {mine / theirs:.3f} ({mine:,.0f} and {theirs:,.0f})")
