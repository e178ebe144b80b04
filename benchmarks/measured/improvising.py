"""What it costs to make up an answer: python -m benchmarks.measured.improvising [--seconds 3]

One fake Azure answers 16 connections: from recordings of so many prompts, then making up answers to the same prompts,
then to prompts that never come again. Chat, Responses and embeddings; requests a second.
"""

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Callable
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

from .spawned import spawned

CONNECTIONS = 16
RECORDED = 200  # prompts, asked again and again
NEVER_AGAIN = 10**9
MUST = 1 / 3  # of the requests a second that replaying reaches, at least
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
FORM = {"type": "json_schema", "name": "city", "schema": SCHEMA}
TOOL = {"name": "weather", "parameters": SCHEMA}
MODELS = {"embeddings": "text-embedding-3-small"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {  # the operation, and what a request has besides its prompt
    "chat": ("chat/completions", {}),
    "chat, streamed": ("chat/completions", {"stream": True}),
    "a schema": ("chat/completions", {"response_format": {"type": "json_schema", "json_schema": FORM}}),
    "a tool": ("chat/completions", {"tools": [{"type": "function", "function": TOOL}]}),
    "a tool, streamed": ("chat/completions", {"tools": [{"type": "function", "function": TOOL}], "stream": True}),
    "responses": ("responses", {}),
    "responses, streamed": ("responses", {"stream": True}),
    "responses, a schema": ("responses", {"text": {"format": FORM}}),
    "embeddings": ("embeddings", {"encoding_format": "base64"}),  # as the SDK asks for them
    "embeddings, as numbers": ("embeddings", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="of requests (default: all)")
    arguments = parser.parse_args()
    for kind in arguments.kinds or KINDS:
        replayed = measured(kind, recorded(kind), RECORDED, arguments.seconds)
        again, new = (measured(kind, [], prompts, arguments.seconds) / replayed for prompts in (RECORDED, NEVER_AGAIN))
        print(f"{kind}: {replayed:,.0f} replayed; improvised {again:.2f} of that, new prompts {new:.2f}", end=" ")
        print(f"(must: {MUST:.2f})", flush=True)


def prompt(kind: str, number: int) -> bytes:
    operation, options = KINDS[kind]
    text = f"Question {number}: what is the weather like beside the sea?"
    said = {"messages": [{"role": "user", "content": text}]} if operation.startswith("chat") else {"input": text}
    return json.dumps({"model": MODELS.get(operation, "gpt-4o-mini"), **said, **options}).encode()


def measured(kind: str, interactions: list[Interaction], prompts: int, seconds: float) -> float:
    numbers = count()
    with spawned(serve, interactions) as (base, key):
        return asyncio.run(load(base, key, kind, lambda: prompt(kind, next(numbers) % prompts), seconds))


def recorded(kind: str) -> list[Interaction]:
    """What is improvised, as recordings: both send the same."""
    made = [asked(KINDS[kind][0], json.loads(prompt(kind, number))) for number in range(RECORDED)]
    return [
        Interaction(Request("POST", one.request.uri, (), prompt(kind, number)), one.response)
        for number, one in enumerate(made)
    ]


def serve(pipe: Connection, interactions: list[Interaction]) -> None:
    azure = FakeAzure(Library(interactions))
    azure.after.append(Improviser())
    gc.freeze()  # as the commands do
    with serving(azure, bind(0)) as base:
        pipe.send((base, azure.api_key))
        pipe.recv()


async def load(base: str, key: str, kind: str, body: Callable[[], bytes], seconds: float) -> float:
    """Answers a second over all connections."""
    address, path = urlsplit(base), f"/openai/v1/{KINDS[kind][0]}"
    began = time.monotonic()
    done = await asyncio.gather(
        *(
            ask(str(address.hostname), int(address.port or 0), path, key, body, began + seconds)
            for _ in range(CONNECTIONS)
        )
    )
    return sum(done) / (time.monotonic() - began)


async def ask(host: str, port: int, path: str, key: str, body: Callable[[], bytes], until: float) -> int:
    """One connection; how many answers it got. Raises AssertionError where one is no 200."""
    reader, writer = await asyncio.open_connection(host, port)
    answers = 0
    while time.monotonic() < until:
        sent = body()
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\napi-key: {key}\r\ncontent-length: {len(sent)}\r\n\r\n"
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
