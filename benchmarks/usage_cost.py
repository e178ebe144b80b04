"""What the usage records cost: the proxy with them against the same proxy without, `python -m benchmarks.usage_cost`.

A record goes to a file, as it goes to a pipe in Azure. "without" keeps, reads and writes nothing for a record. What the
proxy does anyway stays in both: `Server-Timing`, and to notice that a stream ended early, which takes the end of it.
"""

import argparse
import os
import sys
from pathlib import Path

from emulator.host.command import main as host
from proxy import ending
from proxy.excerpt import Excerpt
from proxy.record import Record

from . import traffic
from .bench import Failed
from .contender import Place
from .machine import described
from .proxies import KEY, Ours
from .run import Run
from .site import Site
from .summary import ratio
from .workload import Workload

WITH, WITHOUT = "with records", "without"
SALT = "benchmark-salt-0123456789"


class Variant(Ours):
    module = "benchmarks.usage_cost"

    def command(self, place: Place) -> list[str | Path]:
        return [*super().command(place), "--verbose"]

    def environment(self, place: Place) -> dict[str, str]:
        return {**super().environment(place), "PROXY_KEY_SALT": SALT, "USAGE_COST": self.name}


class Unread(Excerpt):
    def add(self, chunk: bytes) -> None:
        pass


def serve() -> int:
    """The proxy, in one of its variants."""
    if os.environ["USAGE_COST"] == WITHOUT:
        Record.note_caller = Record.close = lambda *_: None  # type: ignore[method-assign]
        sys.modules[Record.__module__].fingerprint = lambda *_: ""  # type: ignore[attr-defined]
        ending.Excerpt = lambda *a, **of_stream: (Excerpt if a or of_stream else Unread)(*a, **of_stream)  # type: ignore[assignment, misc]
    return host()


def main() -> int:
    arguments = parser().parse_args()
    workloads = [
        *(Workload(f"json, {number} connections", number, arguments.seconds) for number in (1, 16)),
        Workload("burst of 200 frames, 16 streams", 16, arguments.seconds, frames=200),
    ]
    caller = {"path": "/api/v1/chat/completions", "headers": {"x-functions-key": KEY}}
    Variant.backend = arguments.backend
    run = Run()
    for _ in range(arguments.starts):
        with Site(lambda _: [Variant(WITHOUT, **caller), Variant(WITH, **caller)]) as site:
            if site.skipped:
                raise Failed("; ".join(site.skipped.values()))
            run.take([traffic.bench(workload, site, tries=3) for workload in workloads], arguments.rounds)
    pairs = f"{arguments.starts} starts of {arguments.rounds} rounds"
    print(f"{described()}\n\nwith records ÷ without, {pairs}: median of the rounds, best ÷ best\n")
    for workload in workloads:
        variants = run.samples[workload.name]
        for metric, unit, best in (("requests_s", "requests/s", max), ("cpu_us_request", "CPU µs a request", min)):
            middle = ratio(run.samples, workload.name, WITH, WITHOUT, metric)
            mine, theirs = best(variants[WITH][metric]), best(variants[WITHOUT][metric])
            print(f"{workload.name:31} {unit:16} {middle:.3f} {mine / theirs:.3f} ({mine:,.0f} and {theirs:,.0f})")
    return 0


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m benchmarks.usage_cost", description=__doc__)
    root.add_argument("--starts", type=int, default=5, help="of both: no two run equally fast (default: %(default)s)")
    root.add_argument("--rounds", type=int, default=3, help="of each start (default: %(default)s)")
    root.add_argument("--seconds", type=float, default=1.0, help="length of a sample (default: %(default)s)")
    root.add_argument("--backend", default="public", help="runtime: in Microsoft's worker library, Python 3.13 and up")
    return root


if __name__ == "__main__":
    sys.exit(serve() if "USAGE_COST" in os.environ else main())
