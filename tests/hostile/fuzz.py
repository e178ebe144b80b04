"""Throws made-up requests at the proxy: `python -m tests.hostile.fuzz --requests 100000 [--seed 0] [--backend public]`.

Ends with 0 when every promise held. The same seed makes the same requests; what broke a promise is printed as it was,
and once more as small as hypothesis could make it.
"""

import argparse
import sys
import time

import hypothesis

from tests.hostile.attack import Attack, attacks
from tests.hostile.target import Target, describe, target
from tests.load.footprint import assert_no_leak

ROUND = 1_000  # requests with one seed, as hypothesis remembers all of them
WARM_UP = 300


def throw(under_attack: Target, requests: int, seed: int) -> None:
    """Throws `requests` requests, the same ones for the same seed. Raises AssertionError with the smallest request that
    breaks a promise."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=requests, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(attacks())
    def attempt(attack: Attack) -> None:
        under_attack.attempt(attack)

    attempt()
    under_attack.assert_lives()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", choices=("public", "runtime"))
    arguments = parser.parse_args()
    with target(arguments.backend) as under_attack:
        throw(under_attack, WARM_UP, arguments.seed)
        before, started = under_attack.counted.footprint(), time.monotonic()
        print(f"before: {before}", flush=True)
        for number, first in enumerate(range(0, arguments.requests, ROUND), 1):
            throw(under_attack, min(ROUND, arguments.requests - first), arguments.seed + number)
            rate = (first + ROUND) / (time.monotonic() - started)
            print(f"{first + ROUND:>7,} requests, {rate:.0f}/s, {under_attack.counted.footprint()}", flush=True)
        after = under_attack.counted.settled(before)
        print(f"after:  {after}\nanswers by status: {describe(under_attack.answers)}")
        assert_no_leak(before, after)


if __name__ == "__main__":
    sys.exit(main())
