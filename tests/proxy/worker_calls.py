"""Calls the function as the host would, in Microsoft's worker library (Python 3.13), with the extension's web server.
Prints one JSON object for each line of its input.

    python -m tests.proxy.worker_calls [--without-cures] <<< '{"kind": "healthy", "count": 100}'

A call has two halves (proxy/worker.py). Each kind says how much of the HTTP request comes; the invocation always comes.
"""

import asyncio
import functools
import importlib
import json
import os
import re
import socket
import struct
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from emulator.host.routing.definition import http_functions
from emulator.host.routing.function import HttpFunction, Invocation
from emulator.host.workers.message import init_request, invocation_request, metadata_request
from emulator.stack import ROOT

HALF_SECONDS, FORGET_SECONDS = 0.3, 0.1  # as short as a test can bear
PATIENCE_SECONDS = 1.5  # a call that is open then stays open
AT_ONCE = 100
LIBRARY = "azure_functions_runtime"
ENVIRONMENT = {
    "AZURE_OPENAI_BASE": "https://example-resource.openai.azure.com",
    "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
    "PROXY_HEALTH": "true",
    "PROXY_SIGNING_KEY": "a-signing-key-for-tests-0123456789-abcdef",
}
UPGRADE = (
    "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AQIDBAUGBwgJCg==\r\n"
)


class Kind(NamedTuple):
    """The invocation calls `function` with `parameters`. `request` is the other half; INVOCATION in it stands for the
    invocation's id."""

    function: str
    parameters: dict[str, str]
    request: str | None
    leaves: bool = False


def get(path: str, *, method: str = "GET", headers: str = "") -> str:
    return f"{method} {path} HTTP/1.1\r\nhost: x\r\nx-ms-invocation-id: INVOCATION\r\n{headers}\r\n"


KINDS = {
    "healthy": Kind("models", {}, get("/api/v1/models")),
    "nothing comes": Kind("models", {}, None),  # as after a header that is not ASCII
    "line break": Kind("model", {"model": "a\nb"}, get("/api/v1/models/a%0Ab")),
    "WebSocket": Kind("zz_not_found", {"path": "v1/responses"}, get("/api/v1/responses", headers=UPGRADE)),
    "control character": Kind("models", {}, get("/api/v1/models", headers="x-odd: a\x01b\r\n")),
    "method of no route": Kind("zz_not_found", {"path": "x"}, get("/api/x", method="PROPFIND")),
    "half a head": Kind("models", {}, "GET /api/v1/models HTTP/1.1\r\nhost: x\r\nx-ms-invoc", leaves=True),
    "leaves at once": Kind("models", {}, get("/api/v1/models"), leaves=True),
    "canary": Kind(
        *("model", {"model": "CANARY-ID"}),
        get("/api/v1/models/CANARY-ID?code=CANARY-KEY", headers="x-functions-key: CANARY-KEY\r\n"),
    ),
}
STRANGERS = {  # the same at the anonymous routes, from somebody who has no key
    f"{name} from a stranger": kind._replace(
        function=f"keys_{kind.function}", request=kind.request and kind.request.replace("/api/", "/api/keys/")
    )
    for name, kind in KINDS.items()
}
AT_HEALTH = {  # the same at the health check, which anybody may ask
    f"{name} at the health check": kind._replace(
        function="health", parameters={}, request=kind.request and re.sub(r"/api/\S+", "/api/health", kind.request)
    )
    for name, kind in KINDS.items()
    if kind.function != "zz_not_found" or name == "WebSocket"
}
KINDS |= STRANGERS | AT_HEALTH


class WebSockets(asyncio.Protocol):
    """Stands for a library for WebSockets, to which uvicorn hands an upgrade. The function never hears of the call."""

    def __init__(self, **options: Any) -> None: ...


class Worker:
    """The library with the function in it, and its server."""

    def __init__(self, library: Any, port: int, functions: dict[str, HttpFunction]) -> None:
        self.library, self.port, self.functions = library, port, functions
        self.references = importlib.import_module(f"{LIBRARY}.http_v2").http_coordinator._context_references

    async def call(self, kind: Kind) -> str:
        """The status of the answer, or "none", and whether the invocation "ended" or is "open"."""
        invocation = Invocation(str(uuid.uuid4()), self.functions[kind.function], kind.parameters)
        announced = asyncio.ensure_future(self.library.invocation_request(invocation_request(invocation)))
        await asyncio.sleep(0)
        status = "none"
        if kind.request is not None:
            status = await self.ask(kind.request.replace("INVOCATION", invocation.id).encode("latin-1"), kind.leaves)
        done, _ = await asyncio.wait([announced], timeout=PATIENCE_SECONDS)
        announced.cancel()
        return f"{status}, {'ended' if done else 'open'}"

    async def ask(self, request: bytes, leaves: bool) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        if leaves:
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return "none"
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                line = await reader.readline()
        except TimeoutError:
            line = b""
        writer.transport.abort()
        return line[9:12].decode() or "none"

    async def many(self, kind: str, count: int) -> dict[str, Any]:
        ends: Counter[str] = Counter()
        for begin in range(0, count, AT_ONCE):
            ends.update(await asyncio.gather(*(self.call(KINDS[kind]) for _ in range(min(AT_ONCE, count - begin)))))
        await asyncio.sleep(2 * FORGET_SECONDS)
        return {"ends": ends, "references": len(self.references), "memory_mb": memory_mb()}

    async def idle(self, seconds: float) -> dict[str, Any]:
        """Whether a connection is still open so long after a call, as the host's pool keeps them."""
        kind = KINDS["healthy"]
        invocation = Invocation(str(uuid.uuid4()), self.functions[kind.function], {})
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write((kind.request or "").replace("INVOCATION", invocation.id).encode())
        await self.library.invocation_request(invocation_request(invocation))
        await reader.readuntil(b"]}")
        await asyncio.sleep(seconds)
        still_open = not reader.at_eof()
        writer.close()
        return {"open": still_open}


async def started(cured: bool) -> Worker:
    library = importlib.import_module(LIBRARY)
    library.start_threadpool_executor()
    cures = importlib.import_module("proxy.worker")
    quick = functools.partial(cures.cure, HALF_SECONDS, FORGET_SECONDS)
    cures.cure = quick if cured else lambda: None
    websockets = importlib.import_module("uvicorn.protocols.websockets.auto")
    websockets.AutoWebSocketsProtocol = WebSockets
    answer = await library.worker_init_request(init_request(str(ROOT)))
    port = urlsplit(answer.capabilities["HttpUri"]).port or 0
    found = (await library.functions_metadata_request(metadata_request())).function_metadata_results
    functions = http_functions((f.name, f.function_id, f.raw_bindings) for f in found)
    for _ in range(200):
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            break
        except OSError:
            await asyncio.sleep(0.05)
    return Worker(library, port, {function.name: function for function in functions})


async def wishes() -> AsyncIterator[dict[str, Any]]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield json.loads(line)


def memory_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def main() -> None:
    os.environ.update(ENVIRONMENT)
    worker = await started("--without-cures" not in sys.argv)
    async for wish in wishes():
        told = await (worker.idle(wish["idle"]) if "idle" in wish else worker.many(wish["kind"], wish["count"]))
        print("told " + json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
