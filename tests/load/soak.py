"""Hours of calls with random faults, compressed:
`python -m tests.load.soak [--minutes 60] [--time-scale 20] [--callers 30] [--seed 0]`.

Schedules of streams and token lifetimes pass `time-scale` times faster, time-outs up to ten times. The token is renewed
about three times an hour, and the identity endpoint is down for one minute in five. Ends with 0 when every call ended
as tests/load/outcomes.py says, and nothing was left behind.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter

import aiohttp

from emulator.match.library import Library
from tests.load.footprint import Counted, Footprint, assert_no_leak, counted_proxy
from tests.load.outcomes import ANSWERS, CASES, Answer, Case

THINKING_SECONDS = 20.0  # a caller's average pause between two calls
TOKEN_SECONDS = 1_500.0  # a token's lifetime; the proxy renews it in its last five minutes
OUTAGE_EVERY, OUTAGE_SECONDS = 300.0, 60.0  # when, and for how long, the identity endpoint fails
OFTEN = ("an answer", "a long answer", "a stream")
LOOP_FACTOR = 10.0  # with more, the proxy's time-out at 225 s and the host's at 240 s would meet
HANGS_SECONDS = 60.0  # real seconds; the slowest case waits 225 s of the proxy's time


def expire_and_fail(counted: Counted) -> None:
    """Makes the tokens expire, and the identity endpoint fail, by the proxy's clock."""
    identity = counted.running.azure.identity
    mint = identity.answer

    def answer(query: str, header: str | None) -> tuple[int, bytes]:
        now = counted.now()
        identity.lifetime = TOKEN_SECONDS + now - time.time()
        down = (now - counted.clock_start) % OUTAGE_EVERY > OUTAGE_EVERY - OUTAGE_SECONDS
        identity.failure = 500 if down else None
        return mint(query, header)

    identity.answer = answer  # type: ignore[method-assign]


async def call(session: aiohttp.ClientSession, base_url: str, case: Case) -> Answer:
    received = b""
    headers = case.headers | {"content-type": "application/json"}
    async with session.post(f"{base_url}/chat/completions", data=case.sent, headers=headers) as got:
        try:
            async for part in got.content.iter_any():
                received += part
        except aiohttp.ClientPayloadError:
            return Answer(got.status, received, whole=False)
        return Answer(got.status, received, whole=True)


async def crowd(counted: Counted, names: list[str], callers: int, until: float, seed: int) -> Counter[str]:
    """The number of calls of each case. Raises AssertionError for the first call with a wrong end."""
    ended: Counter[str] = Counter()
    names = [*OFTEN * (len(names) // len(OFTEN)), *names]  # half of the calls are ordinary ones

    async def caller(dice: random.Random) -> None:
        while counted.now() < until:
            await asyncio.sleep(dice.expovariate(1 / THINKING_SECONDS) / counted.clock_factor)
            name = dice.choice(names)
            case, began = CASES[name], counted.now()
            try:
                case.judge(await call(session, counted.running.base_url, case))
            except (AssertionError, ValueError, aiohttp.ClientError, TimeoutError) as problem:
                minute = (began - counted.clock_start) / 60
                raise AssertionError(
                    f"{name!r} in minute {minute:.1f} must be {case.outcome}: {problem!r}"
                ) from problem
            ended[name] += 1

    timeout = aiohttp.ClientTimeout(total=HANGS_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(caller(random.Random(f"{seed}/{number}")) for number in range(callers)))
    return ended


def soak(
    minutes: float, time_scale: float, callers: int, seed: int, backend: str | None = None, timeouts: bool = True
) -> tuple[Footprint, Footprint, Counter[str], int]:
    """(footprint after a tenth of the time, footprint at the end, calls by case, requests for a token)

    Without `timeouts`, the soak leaves out the cases that a time-out ends, and the proxy's time-outs run at the usual
    speed."""
    library = Library(ANSWERS)
    names = [name for name, case in CASES.items() if timeouts or not case.ends_by_timeout]
    settings = {"PROXY_KEEPALIVE_SECONDS": "0"}  # a keep-alive would change the bytes, and keep a stalled stream open
    settings |= {"FUNCTIONS_HOST_BACKEND": backend} if backend else {}
    with (
        tempfile.TemporaryFile() as log,
        counted_proxy(
            library=library,
            settings=settings,
            clock_factor=time_scale,
            loop_factor=min(time_scale, LOOP_FACTOR) if timeouts else 1.0,
            verbose=True,
            log=log,
        ) as counted,
    ):
        counted.running.azure.time_scale = time_scale
        expire_and_fail(counted)
        asyncio.run(crowd(counted, [*OFTEN], 1, counted.now() + 1, seed))
        idle, end = counted.footprint(), counted.now() + 60 * minutes
        ended = asyncio.run(crowd(counted, names, callers, end - 54 * minutes, seed))
        before = counted.warmed_up(idle)
        ended += asyncio.run(crowd(counted, names, callers, end, seed + 1))
        after = counted.settled(before)
        log.seek(0)
        logged = log.read()
        assert b"Traceback" not in logged, logged[logged.index(b"Traceback") - 500 :][:3_000].decode()
        return before, after, ended, counted.running.azure.identity.requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--time-scale", type=float, default=20.0)
    parser.add_argument("--callers", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", choices=("public", "runtime"))
    before, after, ended, tokens = soak(**vars(parser.parse_args()))
    for name, case in CASES.items():
        print(f"{ended[name]:>6,}  {name:32} {case.outcome}")
    print(f"{ended.total():>6,} calls, {tokens} requests for a token\nbefore  {before}\nafter   {after}")
    assert_no_leak(before, after)


if __name__ == "__main__":
    sys.exit(main())
