"""Measures the cost of recording, and the timing of a recording: python -m benchmarks.measured.recording [--pairs 100]

The same streamed call goes in turn to a fake Azure that stands for the live service, and through the recorder in front
of it. The first measure is the time to the first byte. Then the recorder records 50 streams at once from a service that
sends on a schedule, and replays them. The second measure is each frame's distance from the recorded schedule.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.recording.stack import RecordingStack, Wish
from emulator.server import bind, serving
from emulator.stack import CASSETTES
from emulator.tape import cassette
from emulator.tape.interaction import Interaction

STORY = cassette.load(CASSETTES / "chat/stream.yaml").interactions[0]
WARM_UP = 10
STREAMS = 50
PATH = "/openai/v1/chat/completions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100)
    pairs = parser.parse_args().pairs
    direct, recorded = first_bytes(pairs)
    added = statistics.median(r - d for d, r in zip(direct, recorded, strict=True))
    print(f"time to first byte, median of {pairs} pairs: direct {1000 * statistics.median(direct):.2f} ms, ", end="")
    print(f"recording {1000 * statistics.median(recorded):.2f} ms, added {1000 * added:.2f} ms (must: 2)")
    late = schedule_errors()
    print(
        f"schedule, {STREAMS} streams, {len(late)} frames: {describe(late)} from the recorded times (must: p99 10 ms)"
    )


def serve(
    pipe: Connection, interactions: list[Interaction], time_scale: float, live: str, key: str, folder: Path
) -> None:
    """A fake Azure in a process of its own. It replays; with a live service behind it, it records."""
    azure = FakeAzure(Library(interactions), time_scale)
    stack = None
    if live:
        env = {"AZURE_OPENAI_BASE": live, "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini", "AZURE_OPENAI_API_KEY": key}
        stack = RecordingStack([folder], Wish("all"), folder / "run", env=env)
        stack.begin("bench/streams")
        azure = stack.azure
    with serving(azure, bind(0)) as base:
        pipe.send((base, azure.api_key))
        pipe.recv()
        if stack:
            stack.finish()
            stack.live.close()
    pipe.send("ended")


@contextmanager
def started(
    interactions: list[Interaction], time_scale: float, live: tuple[str, str] = ("", ""), folder: Path = CASSETTES
) -> Iterator[tuple[str, str]]:
    """(base URL, key)"""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, interactions, time_scale, *live, folder))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        ours.recv()
        process.join()


def first_bytes(pairs: int) -> tuple[list[float], list[float]]:
    """Seconds to the first byte: directly, and through the recorder."""
    direct, recorded = list[float](), list[float]()
    with (
        tempfile.TemporaryDirectory() as folder,
        started([STORY], 0.0) as live,
        started([], 0.0, live, Path(folder)) as recording,
        httpx.Client() as client,
    ):
        for _ in range(WARM_UP + pairs):
            direct.append(first_byte(client, *live))
            recorded.append(first_byte(client, *recording))
    return direct[WARM_UP:], recorded[WARM_UP:]


def first_byte(client: httpx.Client, base: str, key: str) -> float:
    started, first = time.perf_counter(), 0.0
    with client.stream("POST", base + PATH, content=STORY.request.body, headers={"api-key": key}) as answer:
        for _ in answer.iter_raw():
            first = first or time.perf_counter() - started
    return first


def schedule_errors() -> list[float]:
    """Milliseconds between a frame's recorded time and its time in a replay, over all streams."""
    asked = [number_of(STORY, number) for number in range(STREAMS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with started(asked, 1.0) as live, started([], 1.0, live, folder) as recording:
            asyncio.run(all_at_once(asked, *recording))
        recorded = list(cassette.load(folder / "bench/streams.yaml").interactions)
        with started(recorded, 1.0) as replaying:
            times = asyncio.run(all_at_once(recorded, *replaying))
    return [
        abs(then - now)
        for interaction, seen in zip(recorded, times, strict=True)
        for then, now in zip(interaction.response.frame_at_ms, seen, strict=True)
    ]


def number_of(story: Interaction, number: int) -> Interaction:
    body = story.request.body.replace(b"two sentences", b"%d sentences" % (number + 3))
    return replace(story, request=replace(story.request, body=body))


async def all_at_once(asked: list[Interaction], base: str, key: str) -> list[list[float]]:
    """For each stream, the arrival of each frame, in milliseconds after the stream's headers."""
    limits = httpx.Limits(max_connections=STREAMS)
    async with httpx.AsyncClient(base_url=base, headers={"api-key": key}, limits=limits, timeout=60) as client:
        return await asyncio.gather(*(times_of(client, interaction) for interaction in asked))


async def times_of(client: httpx.AsyncClient, asked: Interaction) -> list[float]:
    frames, got = [len(frame) for frame in asked.response.frames()], 0
    ends = [sum(frames[: number + 1]) for number in range(len(frames))]
    times = list[float]()
    async with client.stream("POST", PATH, content=asked.request.body) as answer:
        started = time.perf_counter()
        async for piece in answer.aiter_raw():
            got += len(piece)
            while len(times) < len(ends) and ends[len(times)] <= got:
                times.append(1000 * (time.perf_counter() - started))
    return times


def describe(late: list[float]) -> str:
    cuts = statistics.quantiles(late, n=100)
    return f"median {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, worst {max(late):.1f} ms"


if __name__ == "__main__":
    main()
