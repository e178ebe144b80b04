"""What the emulator's page costs its callers: python -m benchmarks.measured.page_cost [--rounds 10] [--seconds 1]

One fake Azure replays to 16 connections: as without a page, with one that nobody has open, and with one that is open,
in turn. An open page reads all that it is told. It prints requests a second, and the CPU time of the process for one.
"""

import argparse
import asyncio
import gc
import os
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Connection
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.page.control import Control
from emulator.page.subject import Subject
from emulator.server import bind, serving

from .improvising import RECORDED, load, prompt, recorded
from .spawned import spawned

NONE, CLOSED, OPEN = "no page", "a page that nobody has open", "a page that is open"
BOUND = 0.98  # requests a second with a page ÷ without
KINDS = ("chat", "chat, streamed")


class Sample(NamedTuple):
    requests_s: float
    cpu_us_request: float


def main() -> None:
    root = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root.add_argument("--rounds", type=int, default=10)
    root.add_argument("--seconds", type=float, default=1.0)
    arguments = root.parse_args()
    for kind in KINDS:
        with spawned(serve, kind, False) as without, spawned(serve, kind, True) as paged:
            samples: dict[str, list[Sample]] = {NONE: [], CLOSED: [], OPEN: []}
            for _ in range(arguments.rounds):
                samples[NONE].append(sample(without, kind, arguments.seconds, False))
                samples[CLOSED].append(sample(paged, kind, arguments.seconds, False))
                samples[OPEN].append(sample(paged, kind, arguments.seconds, True))
        for name, mine in samples.items():
            rates = [one.requests_s / other.requests_s for one, other in zip(mine, samples[NONE], strict=True)]
            costs = [one.cpu_us_request / other.cpu_us_request for one, other in zip(mine, samples[NONE], strict=True)]
            middle = [statistics.median(column) for column in zip(*mine, strict=True)]
            print(f"{kind:15} {name:28} {middle[0]:8,.0f} requests/s {middle[1]:6,.0f} CPU µs", end="")
            print(f"   ÷ without: {statistics.median(rates):.3f} and {statistics.median(costs):.3f}", flush=True)
    print(f"Requests/s with a page ÷ without must reach {BOUND}.")


class Running(NamedTuple):
    base: str
    key: str
    page: str
    pid: int


def serve(pipe: Connection, kind: str, has_page: bool) -> None:
    azure = FakeAzure(Library(recorded(kind)))
    gc.freeze()  # as the commands do
    with serving(azure, bind(0)) as base:
        if not has_page:
            pipe.send(Running(base, azure.api_key, "", os.getpid()))
            pipe.recv()
            return
        subject = Subject(azure, azure_base=base)
        with serving(Control(subject), bind(0)) as page, Control(subject):
            pipe.send(Running(base, azure.api_key, page, os.getpid()))
            pipe.recv()


def sample(running: Running, kind: str, seconds: float, is_open: bool) -> Sample:
    return asyncio.run(_sample(running, kind, seconds, is_open))


async def _sample(running: Running, kind: str, seconds: float, is_open: bool) -> Sample:
    number = 0

    def body() -> bytes:
        nonlocal number
        number += 1
        return prompt(kind, number % RECORDED)

    process = psutil.Process(running.pid)
    async with opened(running.page) if is_open else nothing():
        before = process.cpu_times()
        rate = await load(running.base, running.key, kind, body, seconds)
        after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return Sample(rate, 1e6 * spent / number)


@asynccontextmanager
async def opened(page: str) -> AsyncIterator[None]:
    """A page that has its first rows, and reads on."""
    address = urlsplit(page)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET /_emulator/events HTTP/1.1\r\nhost: localhost\r\n\r\n")
    await reader.readuntil(b"event: ")
    reading = asyncio.create_task(_read(reader))
    await asyncio.sleep(0.5)
    yield
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    writer.close()


async def _read(reader: asyncio.StreamReader) -> None:
    while await reader.read(2**20):
        pass


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield


if __name__ == "__main__":
    main()
