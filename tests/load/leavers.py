"""Callers that leave at random moments: `python -m tests.load.leavers [--callers 10000] [--at-once 100] [--seed 0]`.

Ends with 0 when no request to Azure outlived its caller by more than a second, the other callers got everything, and
the proxy's process holds no more than before.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from emulator.azure.journal import Exchange
from emulator.match.library import Library
from tests.load.footprint import Counted, Footprint, allow_open_files, assert_no_leak, counted_proxy
from tests.load.streams import stream_of

OUTLIVES_SECONDS = 1.0
HANGS_SECONDS = 20.0  # the stream of a caller that leaves would last a minute
MS = 20.0  # between two frames
SHORT, LONG = stream_of(0, frames=40, ms=MS), stream_of(1, frames=3_000, ms=MS)  # for callers that stay, and leave
SILENCE_SECONDS = 0.3  # the longest that Azure waits before it answers
MOMENTS = ("sending the body", "before the first byte", "in mid-stream", "never")
NUMBER = "x-client-request-id"  # the proxy passes it on to Azure


@dataclass
class Caller:
    """`left_at` is a time.monotonic(). `got` has the bytes that came to a caller that stayed."""

    number: int
    moment: str
    random: random.Random
    left_at: float = 0.0
    got: bytes = b""

    async def call(self, base_url: str, headers: dict[str, str]) -> None:
        address, body = urlsplit(base_url), (SHORT if self.moment == "never" else LONG).request.body
        fields = {"host": address.netloc, **headers, NUMBER: str(self.number), "content-length": str(len(body))}
        head = f"POST {address.path}/chat/completions HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "connection: close\r\n\r\n"
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            if self.moment == "sending the body":
                writer.write((head.encode() + body)[: -self.random.randint(1, len(body))])
                await asyncio.sleep(self.random.uniform(0, 0.05))
                return
            writer.write(head.encode() + body)
            if self.moment == "before the first byte":
                await asyncio.sleep(self.random.uniform(0, SILENCE_SECONDS))
            elif self.moment == "in mid-stream":
                await reader.readuntil(b"\r\n\r\n")
                for _ in range(self.random.randint(0, 60)):
                    await reader.readline()
            else:
                self.got = await reader.read(-1)
        finally:
            self.left_at = time.monotonic()
            if self.random.random() < 0.5:
                writer.transport.abort()
            writer.close()


async def crowd(counted: Counted, callers: list[Caller], at_once: int) -> None:
    places = asyncio.Semaphore(at_once)

    async def take_a_place(caller: Caller) -> None:
        async with places:
            await caller.call(counted.running.base_url, counted.running.headers)

    await asyncio.gather(*map(take_a_place, callers))


def thinking(counted: Counted, seed: int) -> None:
    """Makes the fake Azure wait at random before it answers."""
    azure, answer, dice = counted.running.azure, counted.running.azure.answer, random.Random(seed)

    async def late(exchange: Exchange, send: object) -> None:
        await asyncio.sleep(dice.uniform(0, SILENCE_SECONDS))
        await answer(exchange, send)  # type: ignore[arg-type]

    azure.answer = late  # type: ignore[method-assign]


def alone(exchange: Exchange, caller: Caller) -> float:
    """How many seconds Azure worked after the caller had left. A caller may leave before a busy proxy asks Azure."""
    return float(exchange.ended_at or 0) - max(caller.left_at, exchange.started_at)


def judge(counted: Counted, callers: list[Caller]) -> float:
    """Checks every caller's end. Gives the most seconds by which a request outlived its caller. Raises
    AssertionError."""
    journal = counted.running.azure.journal
    journal.wait_for(lambda exchanges: all(exchange.ended_at for exchange in exchanges), timeout=HANGS_SECONDS)
    by_number = {int(exchange.header(NUMBER) or -1): exchange for exchange in journal.exchanges}
    for caller in callers:
        if caller.moment == "never":
            assert caller.got.startswith(b"HTTP/1.1 200"), caller.got[:200]
            chunks = b"".join(caller.got.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2])
            assert chunks == SHORT.response.body, f"caller {caller.number} stayed and got something else"
        if caller.moment == "sending the body":
            assert caller.number not in by_number, "Azure was asked for a caller that never finished asking"
    gone = [caller for caller in callers if caller.moment != "never" and caller.number in by_number]
    outcomes = {by_number[caller.number].outcome for caller in gone}
    assert outcomes == {"client_left"}, f"Azure answered callers who had gone: {outcomes}"
    journal.clear()
    return max(alone(by_number[caller.number], caller) for caller in gone)


def load(
    callers: int, at_once: int, seed: int, backend: str | None = None
) -> tuple[Footprint, Footprint, float, dict[str, int]]:
    """(footprint after a warm-up, footprint after all, the most seconds that a request outlived its caller, number of
    callers by moment)"""
    allow_open_files(10 * at_once + 500)
    with counted_proxy(
        library=Library([SHORT, LONG]), settings={"FUNCTIONS_HOST_BACKEND": backend} if backend else {}
    ) as counted:
        counted.running.azure.time_scale = 1.0
        thinking(counted, seed)
        asyncio.run(crowd(counted, [Caller(0, "never", random.Random(seed))], 1))
        idle, dice, outlived = counted.footprint(), random.Random(seed), 0.0
        counted.running.azure.journal.clear()
        ends: Counter[str] = Counter()
        for wave in range(-1, -(-callers // 1_000)):  # the first warms up; small waves, as the journal keeps bodies
            size = at_once if wave < 0 else min(1_000, callers - 1_000 * wave)
            group = [Caller(number, dice.choice(MOMENTS), random.Random(dice.random())) for number in range(size)]
            asyncio.run(crowd(counted, group, at_once))
            if wave < 0:
                judge(counted, group)
                before = counted.warmed_up(idle)
            else:
                outlived = max(outlived, judge(counted, group))
                ends.update(caller.moment for caller in group)
        return before, counted.settled(before), outlived, dict(ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", choices=("public", "runtime"))
    before, after, outlived, ends = load(**vars(parser.parse_args()))
    print(f"callers by when they left: {ends}; no request outlived its caller by more than {outlived:.3f} s")
    print(f"before  {before}\nafter   {after}")
    assert outlived <= OUTLIVES_SECONDS
    assert_no_leak(before, after)


if __name__ == "__main__":
    sys.exit(main())
