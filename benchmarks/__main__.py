"""Measures what the proxy adds, in pairs: the same requests to the same upstream, directly, through nginx, through the
proxy and through what one would pick instead. Every server has a core of its own, the load and the upstream the other.
What it leaves out: the .NET host in front of the worker, which only Azure and `func start` have."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from . import traffic
from .bench import Failed
from .machine import described
from .report import report
from .run import Run, steps
from .site import Site
from .workload import workloads


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    console = Console(stderr=True)
    run = Run()
    rounds, seconds = (1, 0.5) if arguments.quick else (arguments.rounds, arguments.seconds)
    try:
        with Site(frozenset(arguments.contenders)) as site:
            for name, why in site.skipped.items():
                console.print(f"skipped: {name}: {why}")
            benches = [traffic.bench(workload, site) for workload in workloads(seconds)]
            benches = [bench for bench in benches if not arguments.only or any(o in bench.name for o in arguments.only)]
            if not benches:
                raise Failed("--only names no bench")
            columns = TextColumn("{task.description:50}"), BarColumn(), TimeRemainingColumn()
            with Progress(*columns, console=console, refresh_per_second=1) as progress:
                task = progress.add_task("", total=steps(benches, rounds))
                run.take(benches, rounds, lambda text: progress.update(task, description=text, advance=1))
    except Failed as why:
        print(f"error: {why}", file=sys.stderr)
        return 1
    result = {**described(), "rounds": rounds, "seconds": seconds, "skipped": site.skipped, **vars(run)}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(report(result))
    return 0


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    root.add_argument("--quick", action="store_true", help="one round of short samples: shows that it works, no more")
    root.add_argument("--only", nargs="+", default=[], metavar="TEXT", help="benches whose name contains one of these")
    root.add_argument("--contenders", nargs="+", default=[], metavar="NAME", help="these beside `direct`; default: all")
    root.add_argument("--rounds", type=int, default=3, help="default: 3")
    root.add_argument("--seconds", type=float, default=2.0, help="length of a sample (default: 2)")
    root.add_argument("--out", type=Path, default=Path("benchmark-results"), metavar="DIR", help="default: %(default)s")
    return root


if __name__ == "__main__":
    sys.exit(main())
