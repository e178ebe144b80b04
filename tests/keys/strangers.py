"""Strangers at the anonymous routes: `python -m tests.keys.strangers [--requests 100000] [--at-once 50] [--seed 0]`.

No stranger has a key. The command ends with 0 when the proxy refused every stranger who stayed, Azure got no request,
no invocation stayed open, and the proxy's process holds no more than before.
"""

import argparse
import asyncio
import random
import re
import socket
import struct
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx

from tests.keys.signing import SECRET, key_text, keys_url
from tests.load.footprint import Footprint, allow_open_files, assert_no_leak, counted_proxy

PATIENCE_SECONDS = 20.0
UPGRADE = (
    "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AQIDBAUGBwgJCg==\r\n"
)
KEY = "authorization: Bearer sk-{}.{}\r\n".format("eyJuYW1lIjoiQWRhIn0", "A" * 43)
CHAT = '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
CHUNKED = "transfer-encoding: chunked\r\n"

# The requests, in Latin-1, below /api/keys; AT_HEALTH has the same for /api/health. A reset follows a request that ends
# in LEAVES, an answer each other one.
LEAVES = "<leaves>"


def get(path: str = "/v1/models", headers: str = "", method: str = "GET") -> str:
    return f"{method} /api/keys{path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n"


def post(headers: str = "", body: str = "", path: str = "/v1/chat/completions") -> str:
    return get(path, f"content-type: application/json\r\n{headers}", "POST") + body


KINDS = {
    "no key": get(),
    "forged": get(headers=KEY),
    "forged, with a body": post(f"{KEY}content-length: {len(CHAT)}\r\n", CHAT),
    "forged, in chunks": post(KEY + CHUNKED, f"{len(CHAT):x}\r\n{CHAT}\r\n0\r\n\r\n"),
    "two keys": get(headers=KEY + "api-key: sk-other\r\n"),
    "authorization twice": get(headers=KEY + "authorization: Bearer b\r\n"),
    "a long key": get(headers=f"authorization: Bearer sk-{'A' * 20_000}\r\n"),
    "a function key that is none": get(headers="x-functions-key: guess\r\n"),
    "a code that is none": get("/v1/models?code=guess"),
    "UTF-8 in a header": get(headers="x-user: Jos\xc3\xa9\r\n"),
    "Latin-1 in a header": get(headers="x-user: Jos\xe9\r\n"),
    "UTF-8 in the key": get(headers="authorization: Bearer sk-\xc3\xa9\r\n"),
    "UTF-8 in the path": get("/v1/models/Jos\xc3\xa9"),
    "a control character": get(headers="x-odd: a\x01b\r\n"),
    "a NUL": get(headers="x-odd: a\0b\r\n"),
    "a lone line feed": get(headers="x-odd: a\nx-b: c\r\n"),
    "a lone carriage return": get(headers="x-odd: a\rx-b: c\r\n"),
    "a folded header": get(headers="x-odd: a\r\n b\r\n"),
    "line breaks in the path": get("/v1/models/a%0d%0ab"),
    "line breaks in the key": get(headers="authorization: Bearer sk-a%0d%0ab\r\n"),
    "a WebSocket": get("/v1/responses", UPGRADE),
    "a WebSocket somewhere": get("/x/y", UPGRADE),
    "HTTP/2 by upgrade": get(
        headers="connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n"
    ),
    "an invocation's id": get(headers="x-ms-invocation-id: 00000000-0000-0000-0000-000000000000\r\n"),
    "a method of no route": get(method="PROPFIND"),
    "a method that is none": get(method="A-B"),
    "TRACE": get(method="TRACE"),
    "a length and chunks": post(f"{KEY}content-length: 5\r\n{CHUNKED}", "0\r\n\r\n"),
    "two lengths": post(f"{KEY}content-length: 5\r\ncontent-length: 6\r\n", "hello"),
    "chunks that are none": post(KEY + CHUNKED, "zz\r\n"),
    "half a body": post(f"{KEY}content-length: 1000\r\n", CHAT) + LEAVES,
    "half a chunk": post(KEY + CHUNKED, "ff\r\nhalf") + LEAVES,
    "half a body, no key": post("content-length: 1000\r\n", CHAT) + LEAVES,
    "half a head": "GET /api/keys/v1/models HTTP/1.1\r\nhost: x\r\nauthoriz" + LEAVES,
    "leaves at once": get(headers=KEY) + LEAVES,
    "leaves at once, with a body": post(f"{KEY}content-length: {len(CHAT)}\r\n", CHAT) + LEAVES,
    "waits to be asked": post(f"{KEY}expect: 100-continue\r\ncontent-length: 5\r\n", "hello"),
}
AT_HEALTH = {f"{kind}, at the health check": re.sub(r" /api/\S+", " /api/health", sent) for kind, sent in KINDS.items()}
KINDS |= AT_HEALTH
UP = "up"  # what the health check answers to everybody
REFUSED = {UP, "400", "401", "404", "405", "426", "500", "501", "gone"}


async def stranger(host: str, port: int, kind: str) -> str:
    """The answer's status, or UP for the health check's answer; "gone" where one side closed the connection without an
    answer."""
    sent, leaves = KINDS[kind].removesuffix(LEAVES).encode("latin-1"), KINDS[kind].endswith(LEAVES)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(sent)
        if leaves:
            await asyncio.sleep(random.random() / 100)
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return "gone"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (line := await reader.readline()).startswith(b"HTTP/1.1 100 "):
                await reader.readline()
        status = line[9:12].decode() or "gone"
        return UP if status == "200" and kind in AT_HEALTH else status
    except ConnectionError:
        return "gone"
    finally:
        writer.transport.abort()


async def crowd(base_url: str, kinds: list[str], at_once: int) -> Counter[str]:
    address, places, ends = urlsplit(base_url), asyncio.Semaphore(at_once), Counter[str]()

    async def come(kind: str) -> None:
        async with places:
            ends[await stranger(str(address.hostname), address.port or 80, kind)] += 1

    for begin in range(0, len(kinds), 1_000):
        await asyncio.gather(*map(come, kinds[begin : begin + 1_000]))
    return ends


def load(requests: int, at_once: int, seed: int) -> tuple[Footprint, Footprint, Counter[str]]:
    """(footprint after a warm-up, footprint after all requests, number of requests by end). Raises AssertionError.

    The proxy gives up an invocation whose request has not come within a minute. Here the minute is shorter."""
    allow_open_files(10 * at_once + 500)
    dice, settings = random.Random(seed), {"PROXY_SIGNING_KEY": SECRET, "PROXY_HEALTH": "true"}
    with counted_proxy(settings=settings, loop_factor=30.0) as counted:
        url, good = keys_url(counted.running), {"authorization": f"Bearer {key_text()}"}
        assert httpx.get(f"{url}/models", headers=good, timeout=PATIENCE_SECONDS).status_code == 200
        idle = counted.footprint()
        warm = [*KINDS] * (1 + min(requests, 3_000) // len(KINDS))
        asyncio.run(crowd(url, warm, at_once))
        counted.settled(idle)
        before = counted.warmed_up(idle)
        ends = asyncio.run(crowd(url, dice.choices([*KINDS], k=requests), at_once))
        after = counted.settled(before)
        assert set(ends) <= REFUSED, ends
        assert counted.running.host.unanswered() == []
        assert counted.running.azure.journal.exchanges == []
        assert httpx.get(f"{url}/models", headers=good, timeout=PATIENCE_SECONDS).status_code == 200
    return before, after, ends


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    asked, began = parser.parse_args(), time.monotonic()
    before, after, ends = load(asked.requests, asked.at_once, asked.seed)
    print(f"{before}\n{after}\n{dict(ends)}, {time.monotonic() - began:.0f} s")
    assert_no_leak(before, after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
