"""Measures the cost of the usage records, with and without them: `python -m benchmarks.measured.usage_cost`.

A record goes to a file here, and to a pipe in Azure. "without" keeps, reads and writes nothing for a record. Both
variants keep the rest: `Server-Timing`, and the check of a stream's end, which needs the stream's last bytes.
"""

import functools
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.host.command import main as host
from proxy import ending
from proxy.excerpt import Excerpt
from proxy.record import PAUSE_SECONDS, Record

from ..bench import Bench, Failed, Sample
from ..compared.contender import Place
from ..compared.proxies import OURS_HEADERS, OURS_PATH, Ours
from ..compared.site import Site
from ..workload import Workload
from . import traffic
from .machine import described
from .paired import parser, print_ratios
from .run import Run

WITH, WITHOUT = "with records", "without"
SIGNALS = {WITH: signal.SIGUSR1, WITHOUT: signal.SIGUSR2}
SERVES = "USAGE_COST"  # makes this module the proxy
SALT = "benchmark-salt-0123456789"


class Switched(Ours):
    """One process with both variants, because no two processes run equally fast. A signal switches them."""

    module = "benchmarks.measured.usage_cost"

    def command(self, place: Place) -> list[str | Path]:
        return [*super().command(place), "--verbose"]

    def environment(self, place: Place) -> dict[str, str]:
        return {**super().environment(place), "PROXY_KEY_SALT": SALT, SERVES: "yes"}


class Unread(Excerpt):
    def add(self, chunk: bytes) -> None:
        pass


def serve() -> int:
    """Serves the proxy."""
    noting, excerpt = ("note_caller", "note_answer", "close"), ending.Excerpt
    noted = {name: getattr(Record, name) for name in noting}

    def use(excerpt: Any, methods: Mapping[str, Any]) -> None:
        ending.Excerpt = excerpt  # type: ignore[misc]
        for name, method in methods.items():
            setattr(Record, name, method)

    def of_stream_alone(*kept: Any, **of_stream: Any) -> Excerpt:
        return (excerpt if kept or of_stream else Unread)(*kept, **of_stream)

    signal.signal(SIGNALS[WITH], lambda *_: use(excerpt, noted))
    signal.signal(SIGNALS[WITHOUT], lambda *_: use(of_stream_alone, dict.fromkeys(noting, lambda *_: None)))
    return host()


def bench(workload: Workload, site: Site) -> Bench:
    (proxy,) = site.running
    server = site.running[proxy]

    def sample(variant: str) -> Sample:
        os.kill(server.process.pid, SIGNALS[variant])
        before = server.log.stat().st_size
        taken = traffic.quiet_sample(workload, proxy, site, tries=3)
        time.sleep(10 * PAUSE_SECONDS)  # waits for the last record
        if (server.log.stat().st_size > before) != (variant == WITH):
            raise Failed(f"{variant}: the proxy's log says otherwise")
        return taken

    return Bench(workload.name, {variant: functools.partial(sample, variant) for variant in SIGNALS})


def main() -> int:
    arguments = parser("benchmarks.measured.usage_cost", __doc__).parse_args()
    workloads = [
        *(Workload(f"json, {number} connections", number, arguments.seconds) for number in (1, 16)),
        Workload("burst of 200 frames, 16 streams", 16, arguments.seconds, frames=200),
    ]
    Switched.backend = arguments.backend
    run = Run()
    for _ in range(arguments.starts):
        with Site(lambda _: [Switched("ours", OURS_PATH, OURS_HEADERS)]) as site:
            if site.skipped:
                raise Failed("; ".join(site.skipped.values()))
            run.take([bench(workload, site) for workload in workloads], arguments.rounds)
            for _, _, why in run.failed:
                raise Failed(why)
    pairs = f"{arguments.starts} starts of {arguments.rounds} rounds"
    print(f"{described()}\n\nwith records ÷ without, {pairs}: median of the rounds, best ÷ best\n")
    print_ratios(run, workloads, WITH, WITHOUT)
    return 0


if __name__ == "__main__":
    sys.exit(serve() if SERVES in os.environ else main())
