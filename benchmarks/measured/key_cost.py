"""Measures the cost of signed keys and budgets, `python -m benchmarks.measured.key_cost`: calls with a signed key,
which the function checks and charges, against calls of the same process with a function key, which the host checks.
The caller with a function key sends an `Authorization`, too: OpenAI's clients do not work without.

The key has every limit, and reaches none. The table answers at once: Azure's client works beside the calls, and takes
1 ms of CPU for a key in use, every 2 s to write and every 10 s to read.
"""

import functools
import os
import sys

from emulator.host.command import main as host
from proxy import accounts
from proxy.keys import Key, Keyring
from proxy.tally import Counts, Tally

from ..bench import Bench, Failed
from ..compared.contender import Contender, Place
from ..compared.proxies import OURS_HEADERS, OURS_PATH, Ours
from ..compared.site import Site
from ..workload import Workload
from . import traffic
from .machine import described
from .paired import parser, print_ratios
from .run import Run

WITH, WITHOUT = "signed key", "function key"
SERVES = "KEY_COST"  # makes this module the proxy
SECRET = "benchmark-signing-key-0123456789abcdef"  # noqa: S105
PLENTY = 10**15
LIMITS = ("requests_a_day", "tokens_a_day", "requests_a_minute", "tokens_a_minute")
KEY = Keyring((SECRET,)).make(Key(id="id-1", name="Ada", **dict.fromkeys(LIMITS, PLENTY)))  # type: ignore[arg-type]
SIGNED = Contender(WITH, OURS_PATH.replace("/v1/", "/keys/v1/"), {"authorization": f"Bearer {KEY}"})
OF_THE_CLIENT = {"authorization": "Bearer unused"}  # what the README's clients send beside a function key
BOUND = 0.93  # requests/s at 16 connections


class Signed(Ours):
    """The proxy with both sets of routes."""

    module = "benchmarks.measured.key_cost"

    def environment(self, place: Place) -> dict[str, str]:
        table = "https://account.table.core.windows.net/usage"
        return {**super().environment(place), "PROXY_SIGNING_KEY": SECRET, "PROXY_USAGE_TABLE": table, SERVES: "yes"}


class Table:
    """A table without other instances."""

    def __init__(self, _: object) -> None:
        pass

    async def write(self, tally: Tally) -> None:
        pass

    async def read(self, tally: Tally) -> tuple[Counts, Counts]:
        return tally.own.both(Counts()), Counts()


def serve() -> int:
    """Serves the proxy."""
    accounts.UsageTable = Table  # type: ignore[misc, assignment]
    return host()


def bench(workload: Workload, site: Site) -> Bench:
    contenders = {WITH: SIGNED, WITHOUT: next(iter(site.running))}
    return Bench(
        workload.name,
        {
            name: functools.partial(traffic.quiet_sample, workload, one, site, tries=3)
            for name, one in contenders.items()
        },
    )


def main() -> int:
    arguments = parser("benchmarks.measured.key_cost", __doc__).parse_args()
    workloads = [
        *(Workload(f"json, {number} connections", number, arguments.seconds) for number in (1, 16)),
        Workload("burst of 200 frames, 16 streams", 16, arguments.seconds, frames=200),
    ]
    Signed.backend = arguments.backend
    run = Run()
    for _ in range(arguments.starts):
        with Site(lambda _: [Signed(WITHOUT, OURS_PATH, OURS_HEADERS | OF_THE_CLIENT)]) as site:
            if site.skipped:
                raise Failed("; ".join(site.skipped.values()))
            benches = [bench(workload, site) for workload in workloads]
            site.running[SIGNED] = next(iter(site.running.values()))  # the same process
            run.take(benches, arguments.rounds)
            for _, _, why in run.failed:
                raise Failed(why)
    pairs = f"{arguments.starts} starts of {arguments.rounds} rounds"
    print(f"{described()}\n\n{WITH} ÷ {WITHOUT}, {pairs}: median of the rounds, best ÷ best; bound {BOUND}\n")
    print_ratios(run, workloads, WITH, WITHOUT)
    return 0


if __name__ == "__main__":
    sys.exit(serve() if SERVES in os.environ else main())
