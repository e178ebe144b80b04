"""What it costs to make up an answer: python -m benchmarks.measured.improvising [--seconds 3]

One fake Azure answers 16 connections: from recordings of so many prompts, then making up answers to the same prompts,
then to prompts that never come again. Chat in one piece, streamed, with a schema and with a tool; requests a second.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.synthetic.improvising import Improviser
from emulator.tape.interaction import Interaction, Request
from tests.synthetic.improvised import asked

CONNECTIONS = 16
RECORDED = 200  # prompts, asked again and again
NEVER_AGAIN = 10**9
MUST = 3  # times the requests a second, at most, that replaying reaches
PATH = "/openai/v1/chat/completions"
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "degrees": {"type": "integer", "minimum": -40, "maximum": 50},
        "tags": {"type": "array", "items": {"enum": ["sea", "hills", "old town"]}},
    },
    "required": ["name", "degrees", "tags"],
    "additionalProperties": False,
}
KINDS: dict[str, dict[str, Any]] = {
    "chat": {},
    "chat, streamed": {"stream": True},
    "a schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}},
    "a tool": {"tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3)
    seconds = parser.parse_args().seconds
    for kind, options in KINDS.items():
        replayed = measured(options, recorded(options), RECORDED, seconds)
        improvised = measured(options, [], RECORDED, seconds)
        new = measured(options, [], NEVER_AGAIN, seconds)
        ratio = replayed / improvised
        print(f"{kind}: {replayed:,.0f} replayed, {improvised:,.0f} improvised, {new:,.0f} of new prompts; ", end="")
        print(f"{ratio:.1f} to 1 (must: {MUST})", flush=True)


def prompt(options: dict[str, Any], number: int) -> bytes:
    messages = [{"role": "user", "content": f"Question {number}: what is the weather like beside the sea?"}]
    return json.dumps({"model": "gpt-4o-mini", "messages": messages, **options}).encode()


def measured(options: dict[str, Any], interactions: list[Interaction], prompts: int, seconds: float) -> float:
    numbers = count()
    with started(interactions) as (base, key):
        return asyncio.run(load(base, key, lambda: prompt(options, next(numbers) % prompts), seconds))


def recorded(options: dict[str, Any]) -> list[Interaction]:
    """What is improvised, as recordings: both send the same."""
    made = [asked("chat/completions", json.loads(prompt(options, number))) for number in range(RECORDED)]
    return [
        Interaction(Request("POST", one.request.uri, (), prompt(options, number)), one.response)
        for number, one in enumerate(made)
    ]


def serve(pipe: Connection, interactions: list[Interaction]) -> None:
    azure = FakeAzure(Library(interactions))
    azure.after.append(Improviser())
    gc.freeze()  # as the commands do
    with serving(azure, bind(0)) as base:
        pipe.send((base, azure.api_key))
        pipe.recv()


@contextmanager
def started(interactions: list[Interaction]) -> Iterator[tuple[str, str]]:
    """(base URL, key) of a fake Azure in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, interactions))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


async def load(base: str, key: str, body: Callable[[], bytes], seconds: float) -> float:
    """Answers a second over all connections."""
    address = urlsplit(base)
    began = time.monotonic()
    done = await asyncio.gather(
        *(ask(str(address.hostname), int(address.port or 0), key, body, began + seconds) for _ in range(CONNECTIONS))
    )
    return sum(done) / (time.monotonic() - began)


async def ask(host: str, port: int, key: str, body: Callable[[], bytes], until: float) -> int:
    """One connection; how many answers it got. Raises AssertionError where one is no 200."""
    reader, writer = await asyncio.open_connection(host, port)
    answers = 0
    while time.monotonic() < until:
        sent = body()
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\napi-key: {key}\r\ncontent-length: {len(sent)}\r\n\r\n"
        writer.write(head.encode() + sent)
        got = await reader.readuntil(b"\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 200"), got
        if b"chunked" in got:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            await reader.readexactly(int(got.lower().partition(b"content-length:")[2].split()[0]))
        answers += 1
    writer.close()
    return answers


if __name__ == "__main__":
    main()
