"""Streams leave as they arrive, break when Azure breaks, and end at Azure when the caller leaves."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from emulator.azure.journal import Exchange
from emulator.match.library import Library
from tests.support import Arrived, Proxy, RawUpstream, proxy, recording

STREAMS = 200
FRAMES = 30


def body_of(number: int) -> bytes:
    return b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"%d"}]}' % number


def frames_of(number: int) -> bytes:
    """A unique stream: every frame names it, in text that a wrong cut would spoil."""
    frames = [f'data: {{"stream":{number},"frame":{frame},"text":"🚆{"ü" * frame}"}}\n\n' for frame in range(FRAMES)]
    return "".join([*frames, "data: [DONE]\n\n"]).encode()


@pytest.fixture(scope="module")
def served() -> Iterator[Proxy]:
    recordings = [recording(body_of(number), frames_of(number), sse=True) for number in range(STREAMS)]
    with proxy(library=Library(recordings)) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(served: Proxy) -> None:
    served.azure.reset()


def all_began(exchanges: list[Exchange]) -> bool:
    return sum(bool(exchange.sent_at) for exchange in exchanges) == STREAMS


class Gate:
    """Holds the fake Azure back before piece `at` until `open` is called."""

    def __init__(self, at: int) -> None:
        self.at, self.opened = at, threading.Event()

    async def __call__(self, _: Exchange, piece: int) -> None:
        while piece >= self.at and not self.opened.is_set():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("held_at", [1, 2, FRAMES])
def test_each_frame_arrives_while_azure_still_holds_back_the_next(served: Proxy, held_at: int) -> None:
    gate = served.azure.hold = Gate(held_at)
    whole = frames_of(0)
    first = b"".join(frame + b"\n\n" for frame in whole.split(b"\n\n")[:held_at])
    with httpx.stream("POST", f"{served.base_url}/chat/completions", content=body_of(0), headers=served.headers) as got:
        arriving, received = got.iter_raw(), b""
        while len(received) < len(first):
            received += next(arriving)
        assert received == first, "the rest is still held back"
        gate.opened.set()
        assert received + b"".join(arriving) == whole


@pytest.mark.anyio
async def test_200_concurrent_streams_arrive_with_every_byte_right(served: Proxy) -> None:
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=STREAMS)) as client:

        async def fetch(number: int) -> bytes:
            url = f"{served.base_url}/chat/completions"
            async with client.stream("POST", url, content=body_of(number), headers=served.headers) as got:
                return b"".join([chunk async for chunk in got.aiter_raw()])

        # no stream may end before all have begun
        gate = served.azure.hold = Gate(1)
        fetching = [asyncio.create_task(fetch(number)) for number in range(STREAMS)]
        await asyncio.to_thread(served.azure.journal.wait_for, all_began, 30)
        gate.opened.set()
        assert await asyncio.gather(*fetching) == [frames_of(number) for number in range(STREAMS)]


def leave(running: Proxy, after: int) -> None:
    """Sends a call, reads `after` bytes of the answer's body, and hangs up."""
    address = urlsplit(running.base_url)
    assert address.hostname
    connection = http.client.HTTPConnection(address.hostname, address.port or 0)
    connection.request("POST", f"{address.path}/chat/completions", body_of(1), running.headers)
    if after:
        answer = connection.getresponse()
        assert len(answer.read1(after)) > 0
    else:
        running.azure.journal.wait_for(lambda exchanges: len(exchanges) == 1)
    connection.sock.shutdown(socket.SHUT_RDWR) if connection.sock else answer.close()
    connection.close()


@pytest.mark.parametrize("after", [0, 1])
def test_a_caller_that_leaves_ends_the_call_at_azure(served: Proxy, after: int) -> None:
    """The call at Azure ends within a second, before the first byte and in mid-stream."""
    served.azure.hold = Gate(after)
    leave(served, after)
    left_at = time.monotonic()
    (exchange,) = served.azure.journal.wait_for(lambda exchanges: exchanges and exchanges[0].ended_at, timeout=5)
    assert exchange.outcome == "client_left"
    assert exchange.ended_at is not None
    assert exchange.ended_at - left_at < 1.0
    served.azure.hold = None
    again = httpx.post(f"{served.base_url}/chat/completions", content=body_of(1), headers=served.headers)
    assert again.content == frames_of(1), "an aborted playing does not use the recording up"


# --- a stream that breaks ---------------------------------------------------------------------------------------------


FRAME = b'data: {"choices":[{"delta":{"content":"Hi"},"index":0}],"id":"c","object":"chat.completion.chunk"}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def broken_after(*sent: bytes, reset: bool) -> object:
    def answer(_: Arrived, sock: socket.socket) -> None:
        for part in (HEAD, *sent):
            sock.sendall(part)
            time.sleep(0.1)  # a reset must lose nothing, and each piece must arrive alone
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    return answer


BREAKS = {
    "end without the last chunk": broken_after(chunk(FRAME), reset=False),
    "reset": broken_after(chunk(FRAME), reset=True),
    "chunk cut short": broken_after(chunk(FRAME), b"ff\r\n", reset=False),
    "malformed chunk": broken_after(chunk(FRAME), b"zz\r\nabc\r\n", reset=False),
}


def read_until_it_breaks(running: Proxy) -> bytes:
    """The bytes of an answer until its connection breaks. Fails when the answer ends cleanly."""
    received, url = b"", f"{running.base_url}/chat/completions"
    try:
        with httpx.stream("POST", url, content=body_of(0), headers=running.headers) as got:
            for part in got.iter_raw():
                received += part
    except httpx.ReadError:
        return received
    pytest.fail(f"a broken answer passed for a whole one: {received!r}")


@pytest.mark.parametrize("broken", BREAKS)
def test_a_stream_that_breaks_between_frames_says_so_and_breaks(
    upstream: RawUpstream, behind: Proxy, broken: str
) -> None:
    upstream.answer = BREAKS[broken]  # type: ignore[assignment]
    received = read_until_it_breaks(behind)
    assert received.startswith(FRAME)
    error = json.loads(received.removeprefix(FRAME + b"data: "))["error"]
    assert error["code"] == "upstream_stream_broken"


def test_a_stream_that_breaks_inside_a_frame_breaks_without_a_word(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer = broken_after(chunk(FRAME + FRAME[:20]), reset=False)  # type: ignore[assignment]
    received = read_until_it_breaks(behind)
    assert received == FRAME + FRAME[:20]


@pytest.mark.parametrize("broken", BREAKS)
def test_the_sdk_raises_its_own_error_when_a_stream_breaks(upstream: RawUpstream, behind: Proxy, broken: str) -> None:
    upstream.answer = BREAKS[broken]  # type: ignore[assignment]
    options = {"base_url": behind.base_url, "api_key": "unused", "max_retries": 0}
    texts = []
    with openai.OpenAI(**options, default_headers=behind.headers) as client:
        stream = client.chat.completions.create(model="gpt-4o-mini", messages=[], stream=True)
        with pytest.raises(openai.APIError) as caught:
            texts.extend(part.choices[0].delta.content for part in stream)
    assert texts == ["Hi"]
    assert caught.value.code == "upstream_stream_broken"


def test_a_json_answer_that_breaks_off_is_never_whole(upstream: RawUpstream, behind: Proxy) -> None:
    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{}")
        sock.shutdown(socket.SHUT_RDWR)

    upstream.answer = answer
    assert read_until_it_breaks(behind) in (b"", b"{}")


def test_a_break_leaves_no_traceback(capfd: pytest.CaptureFixture[str], upstream: RawUpstream) -> None:
    upstream.answer = BREAKS["reset"]  # type: ignore[assignment]
    with proxy(upstream.base) as running:
        read_until_it_breaks(running)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_caller_that_leaves_with_a_second_request_waiting_ends_the_first(served: Proxy) -> None:
    served.azure.hold = Gate(1)
    address = urlsplit(served.base_url)
    head = f"POST {address.path}/chat/completions HTTP/1.1\r\nhost: x\r\nx-functions-key: test-key\r\n"
    request = head.encode() + b"content-length: %d\r\n\r\n" % len(body_of(1)) + body_of(1)
    with socket.create_connection((address.hostname or "", address.port or 0)) as sock:
        sock.sendall(request * 2)
        served.azure.journal.wait_for(bool)
    (exchange,) = served.azure.journal.wait_for(lambda exchanges: exchanges and exchanges[0].ended_at, timeout=5)
    assert exchange.outcome == "client_left"
