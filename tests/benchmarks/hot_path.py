"""The proxy from the bytes that its server reads to the bytes that it writes, without sockets and without a clock, so
that what a request costs can be counted: `python -m tests.benchmarks.hot_path` prints the counts as JSON, in its last
line.

uvicorn's protocol and aiohttp's are the real ones, on transports that only remember; the fake Azure answers from here.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from benchmarks.measured.key_cost import KEY as SIGNED_KEY
from benchmarks.measured.key_cost import SECRET, Table
from tests.benchmarks.counting import calls, left_over, peak

SETTINGS = {
    "AZURE_OPENAI_BASE": "http://127.0.0.1:9",
    "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
    "PYTHON_ENABLE_INIT_INDEXING": "1",
}
SIGNED_KEYS = {"PROXY_SIGNING_KEY": SECRET, "PROXY_USAGE_TABLE": "https://account.table.core.windows.net/usage"}
KEY = "a-key"
ANSWER = json.dumps({"choices": [{"message": {"content": "x" * 1_200}}], "usage": {"total_tokens": 5}}).encode()
FRAME = b'data: {"choices":[{"delta":{"content":" word"},"finish_reason":null,"index":0}],"model":"gpt-4o-mini"}\n\n'
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: 1\r\ncontent-length: %d\r\n\r\n"
SSE_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Transport(asyncio.Transport):
    """What was written is in `written`, one entry per write; `on_write` hears of it."""

    def __init__(self, on_write: Callable[[bytes], None], on_close: Callable[[], None] = lambda: None) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.on_write, self.on_close = on_write, on_close
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))
        self.on_write(self.written[-1])

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.on_close()

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: Any = None, low: Any = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


class Azure:
    """Answers each request with `pieces`, each when the one before it has reached the caller."""

    pieces: tuple[bytes, ...] = ()
    arrived: list[bytes]

    def connect(self, protocol: Any) -> Any:
        missing = 0

        def heard(data: bytes) -> None:
            nonlocal missing
            if not missing:
                head, _, data = data.partition(b"\r\n\r\n")
                missing = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            missing -= len(data)
            if not missing:
                answering.append(asyncio.ensure_future(answer()))
                answering[-1].add_done_callback(answering.remove)

        async def answer() -> None:
            for piece in self.pieces:
                before = len(self.arrived)
                protocol.data_received(piece)
                while len(self.arrived) == before:
                    await asyncio.sleep(0)

        answering: list[asyncio.Task[None]] = []
        protocol.connection_made(Transport(heard, lambda: protocol.connection_lost(None)))
        return protocol


def chunked(*parts: bytes) -> tuple[bytes, ...]:
    return tuple(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def request(stream: bool, body_bytes: int = 900, signed: bool = False) -> bytes:
    content = json.dumps({"model": "gpt-4o-mini", "stream": stream, "messages": "a" * body_bytes}).encode()
    below, key = ("keys/", f"authorization: Bearer {SIGNED_KEY}") if signed else ("", f"x-functions-key: {KEY}")
    head = f"POST /api/{below}v1/chat/completions HTTP/1.1\r\nhost: a\r\n{key}\r\n"
    head += f"content-type: application/json\r\nuser-agent: made-up\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


class Caller:
    """One connection of a caller to the proxy."""

    def __init__(self, protocol: Any, azure: Azure) -> None:
        self.transport, self.protocol, self.azure = Transport(self.heard), protocol, azure
        self.azure.arrived = self.transport.written
        self.tail, self.whole = b"", asyncio.Event()
        protocol.connection_made(self.transport)

    def heard(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-5:]
        if self.tail.endswith((b"0\r\n\r\n", ANSWER[-5:])):
            self.whole.set()

    async def ask(self, asked: bytes, *pieces: bytes) -> list[bytes]:
        """What the proxy writes, when Azure answers with these pieces."""
        self.azure.pieces = pieces
        self.transport.written.clear()
        self.whole.clear()
        self.protocol.data_received(asked)
        await asyncio.wait_for(self.whole.wait(), 10)
        for _ in range(10):  # what is still to be tidied up
            await asyncio.sleep(0)
        return self.transport.written

    async def json(self, signed: bool = False) -> list[bytes]:
        return await self.ask(request(stream=False, signed=signed), JSON_HEAD % len(ANSWER) + ANSWER)

    async def frames(self, count: int) -> list[bytes]:
        first, *frames = chunked(*[FRAME] * count, b"data: [DONE]\n\n", b"")
        return await self.ask(request(stream=True), SSE_HEAD + first, *frames)  # the host holds a lone head back

    async def large(self, body_bytes: int) -> list[bytes]:
        return await self.ask(request(False, body_bytes), JSON_HEAD % len(ANSWER) + ANSWER)


@asynccontextmanager
async def caller() -> AsyncIterator[Caller]:
    os.environ.update(SETTINGS | SIGNED_KEYS)
    from uvicorn import Config
    from uvicorn.server import ServerState

    from emulator.host.app import imported
    from emulator.host.front import FunctionsHost
    from emulator.host.http.protocol import KestrelProtocol
    from emulator.host.workers.coordinator import offered
    from emulator.host.workers.public import public_backend
    from emulator.stack import ROOT
    from proxy import accounts, upstream

    accounts.UsageTable = Table  # type: ignore[misc, assignment]
    with offered() as halves, imported(ROOT) as app:
        async with public_backend(app, halves) as backend:
            sys.modules["function_app"].identity.current = SimpleNamespace(
                token="made-up", expires_on=time.time() + 9e4
            )
            azure, connector = Azure(), upstream.client().transport.connector

            async def connected(*_: Any) -> Any:
                return azure.connect(connector._factory())

            connector._create_connection = connected
            host = FunctionsHost(backend, app.routes_below, {"default": KEY})
            config = Config(host, log_config=None, lifespan="off", proxy_headers=False)
            config.load()
            yield Caller(KestrelProtocol(config, ServerState(), {}), azure)
            await upstream.client().aclose()


async def matches(recordings: int) -> float:
    """Calls to find a request's recording among so many."""
    from benchmarks.compared.recordings import interactions
    from benchmarks.measured.tapes import match
    from emulator.match.library import Library

    library, asked = Library(interactions(recordings)), interactions(1)[0].request.body

    async def work() -> None:
        match(library, asked)

    return await calls(work)


async def replays() -> dict[str, float]:
    """Calls and writes for a recorded answer, from the emulator's bytes to its bytes."""
    from uvicorn import Config
    from uvicorn.server import ServerState

    from emulator.azure import FakeAzure
    from emulator.connection import Protocol
    from emulator.match.library import Library
    from emulator.tape.interaction import Interaction, Request, Response

    asked = request(stream=False).replace(b"/api/v1/", b"/openai/v1/").replace(b"x-functions-key", b"api-key")
    recorded = Request("POST", "http://a/openai/v1/chat/completions", (), asked.partition(b"\r\n\r\n")[2])
    library = Library([Interaction(recorded, Response(200, "OK", (("content-type", "application/json"),), ANSWER))])
    azure = FakeAzure(library)
    azure.api_key = KEY
    config = Config(azure, log_config=None, lifespan="off", proxy_headers=False)
    config.load()
    caller = Caller(Protocol(config, ServerState(), {}), Azure())
    written = list(await caller.ask(asked))
    assert written[0].startswith(b"HTTP/1.1 200")

    async def work() -> None:
        caller.whole.clear()
        caller.protocol.data_received(asked)
        await caller.whole.wait()

    return {"calls per replayed request": await calls(work), "writes per replayed request": len(written)}


async def admissions() -> float:
    """Calls to let a signed key in that came before."""
    from starlette.requests import Request

    from proxy.admission import Admission
    from proxy.keys import Key
    from proxy.record import Record
    from proxy.settings import Settings

    admit = Admission(Settings.from_env(SETTINGS | {"PROXY_SIGNING_KEY": "a-signing-key-for-tests-0123456789-abcdef"}))
    key = admit.keyring.make(Key("1", "Ada", models=("gpt-4o-mini",))).encode()
    headers = [(b"host", b"x"), (b"content-type", b"application/json"), (b"authorization", b"Bearer " + key)]
    asked = Request({"type": "http", "method": "GET", "query_string": b"", "headers": headers})
    record = Record(asked, "models", "")

    async def work() -> None:
        admit(asked, record)

    return await calls(work)


async def counted() -> dict[str, float]:
    """What the budgets are about, under their names."""
    async with caller() as proxy:
        identity = sys.modules["function_app"].identity
        few, many = [await calls(lambda count=count: proxy.frames(count)) for count in (10, 110)]
        large = 5_000_000
        plain, signed = await calls(proxy.json), await calls(lambda: proxy.json(signed=True))
        assert b"x-proxy-tokens-left" in (await proxy.json(signed=True))[0]
        return {
            "calls per request": plain,
            "calls per request that a signed key adds": signed - plain,
            "writes per request with a signed key": len(await proxy.json(signed=True)),
            "writes per request": len(await proxy.json()),
            "calls per frame": (many - few) / 100,
            "writes per frame": (len(await proxy.frames(110)) - len(await proxy.frames(10))) / 100,
            "objects left to the collector per request": await left_over(proxy.json),
            "objects left to the collector per stream": await left_over(lambda: proxy.frames(20)),
            "bytes held per byte of a large body": await peak(lambda: proxy.large(large)) / large,
            "calls per cached token": await calls(identity.token),
            "calls per signed key that is known": await admissions(),
            **await replays(),
            "calls per match among 10": await matches(10),
            "calls per match among 2,000": await matches(2_000),
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(counted())))  # after the function's own records
