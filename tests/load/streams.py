"""Many streams at once: `python -m tests.load.streams [--streams 1000] [--frames 200] [--ms 20] [--rounds 3]`.

Ends with 0 when all streams arrived whole, byte for byte, and the proxy's process holds no more than after a first
round to warm up.
"""

import argparse
import asyncio
import dataclasses
import sys
import time

import aiohttp

from emulator.match.library import Library
from emulator.tape.interaction import Interaction
from tests.load.footprint import Footprint, allow_open_files, assert_no_leak, counted_proxy
from tests.support import Proxy, recording

SECONDS = 300.0  # for a round on a slow machine; a longer round is a hang


def body_of(number: int) -> bytes:
    return b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"%d"}]}' % number


def stream_of(number: int, frames: int, ms: float) -> Interaction:
    """A stream that differs from all others: every frame holds its number."""
    texts = [
        f'data: {{"stream":{number},"frame":{frame},"text":"{"ü" * (frame % 40)}"}}\n\n' for frame in range(frames)
    ]
    made = recording(body_of(number), "".join([*texts, "data: [DONE]\n\n"]).encode(), sse=True)
    at = tuple(ms * frame for frame in range(frames + 1))
    return dataclasses.replace(made, response=dataclasses.replace(made.response, frame_at_ms=at))


async def fetch_all(running: Proxy, recordings: list[Interaction]) -> None:
    """Reads all streams at once. Raises AssertionError when one arrives differently than it was recorded."""

    async def fetch(one: Interaction) -> bool:
        async with session.post(url, data=one.request.body, headers=running.headers) as answer:
            return answer.status == 200 and await answer.read() == one.response.body

    url = f"{running.base_url}/chat/completions"
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        whole = await asyncio.gather(*map(fetch, recordings), return_exceptions=True)
    wrong = [result for result in whole if result is not True]
    assert not wrong, f"{len(wrong)} of {len(recordings)} streams arrived otherwise than sent: {wrong[:3]}"


def load(
    streams: int, frames: int, ms: float, rounds: int, backend: str | None = None
) -> tuple[Footprint, Footprint, list[float]]:
    """(footprint after a warm-up round, footprint after `rounds` more, seconds of each round)"""
    allow_open_files(4 * streams + 500)  # for each stream: the caller's, the fake Azure's, and the proxy's two
    recordings, seconds = [stream_of(number, frames, ms) for number in range(streams)], []
    settings = {"FUNCTIONS_HOST_BACKEND": backend} if backend else {}
    with counted_proxy(library=Library(recordings), settings=settings) as counted:
        counted.running.azure.time_scale = 1.0
        asyncio.run(fetch_all(counted.running, recordings[:1]))
        idle = counted.footprint()
        for number in range(rounds + 1):
            began = time.monotonic()
            asyncio.run(fetch_all(counted.running, recordings))
            seconds.append(time.monotonic() - began)
            counted.running.azure.reset()
            if number == 0:
                before = counted.warmed_up(idle)
        return before, counted.settled(before), seconds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--ms", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", choices=("public", "runtime"))
    before, after, seconds = load(**vars(parser.parse_args()))
    print(f"every stream whole; seconds per round: {', '.join(f'{round_:.1f}' for round_ in seconds)}")
    print(f"after warming up  {before}\nafter all rounds  {after}")
    assert_no_leak(before, after)


if __name__ == "__main__":
    sys.exit(main())
