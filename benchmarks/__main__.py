"""Measures what the proxy adds, in pairs: the same requests to the same upstream, directly, through nginx, through the
proxy and through its alternatives. Every server has a core of its own; the load and the upstream share the other core.
The run leaves out the .NET host and, outside the worker library, FastAPI in front of the function."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .bench import Failed
from .compared.site import Site
from .measured.machine import described
from .measured.parts import parts
from .measured.run import Run, steps
from .reported.plots import plot
from .reported.report import report


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.tries = 1, 0.2, 1
    result: dict[str, Any] = {**described(), "rounds": arguments.rounds, "seconds": arguments.seconds}
    try:
        result |= measured(arguments)
    except Failed as why:
        print(f"error: {why}", file=sys.stderr)
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(result, arguments.out)
    print(report(result))
    return 0


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """The run's result: samples, failed, skipped. Raises Failed where the run measured nothing."""
    console, run, skipped = Console(stderr=True), Run(), {}
    columns = TextColumn("{task.description:60}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, refresh_per_second=1) as progress:
        for part in parts(arguments.seconds, arguments.tries):
            makers = [make for name, make in part.benches.items() if wanted(name, arguments.only)]
            with Site(part.contenders if makers else None, frozenset(arguments.contenders)) as site:
                skipped |= site.skipped
                for name, why in site.skipped.items():
                    console.print(f"skipped: {name}: {why}")
                benches = [make(site) for make in makers]
                task = progress.add_task("", total=steps(benches, arguments.rounds), visible=bool(benches))
                run.take(benches, arguments.rounds, lambda text: progress.update(task, description=text, advance=1))  # noqa: B023
    if not run.samples:
        raise Failed("nothing was measured; --only takes parts of the benches' names")
    return {"skipped": skipped, **vars(run)}


def wanted(name: str, only: Iterable[str]) -> bool:
    return not only or any(text in name for text in only)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    root.add_argument("--quick", action="store_true", help="one round of short samples: shows that it works, no more")
    root.add_argument("--only", nargs="+", default=[], metavar="TEXT", help="benches whose name contains one of these")
    root.add_argument("--contenders", nargs="+", default=[], metavar="NAME", help="these beside `direct`; default: all")
    root.add_argument("--rounds", type=int, default=3, help="default: 3")
    root.add_argument("--seconds", type=float, default=2.0, help="length of a sample (default: 2)")
    root.add_argument("--tries", type=int, default=5, help="for a sample that other programs disturb (default: 5)")
    root.add_argument("--out", type=Path, default=Path("benchmark-results"), metavar="DIR", help="default: %(default)s")
    return root


if __name__ == "__main__":
    sys.exit(main())
