"""Comments between events keep a silent stream alive. Too long a silence ends it, with its name."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import openai
import pytest
from starlette.requests import Request

from proxy import relay
from proxy import upstream as own
from proxy.record import Record, closed
from proxy.relay import KEEP_ALIVE, Relay
from proxy.transport import Transport
from tests.support import Arrived, Log, Proxy, RawUpstream, proxy

BEAT = 0.1
EVENT = b'data: {"choices":[{"delta":{"content":"Hi"},"index":0}],"id":"c","object":"chat.completion.chunk"}\n\n'
DONE = b"data: [DONE]\n\n"
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n'
CREATED = b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'
COMPLETED = b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_1"}}\n\n'
PAUSE = 4.5 * BEAT


@pytest.fixture(scope="module")
def kept(upstream: RawUpstream, log: Log) -> Iterator[Proxy]:
    """The proxy, less patient than by default."""
    settings = {"PROXY_KEEPALIVE_SECONDS": str(BEAT)}
    with log.path.open("wb") as file, proxy(upstream.base, settings, verbose=True, log=file) as running:
        yield running


def pausing(*parts: bytes, kind: bytes = b"text/event-stream", more: bytes = b"") -> Callable[..., None]:
    """An upstream that is silent before each of its parts."""

    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n%s\r\n" % (kind, more))
        for part in parts:
            time.sleep(PAUSE)
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        sock.sendall(b"0\r\n\r\n")

    return answer


def fetch(running: Proxy, route: str = "chat/completions", name: str = "any") -> bytes:
    url, body = f"{running.base_url}/{route}", {"model": "gpt-4o-mini", "stream": True}
    headers = running.headers | {"accept-encoding": "gzip", "x-client-request-id": name}
    with httpx.stream("POST", url, json=body, headers=headers, timeout=30) as got:
        return b"".join(got.iter_raw())


@pytest.mark.parametrize(
    ("route", "first", "last"), [("chat/completions", EVENT, DONE), ("responses", CREATED, COMPLETED)]
)
@pytest.mark.parametrize("line", [b"\n", pytest.param(b"\r\n", marks=pytest.mark.long)])
def test_comments_fill_a_silence_between_events(
    upstream: RawUpstream, kept: Proxy, route: str, first: bytes, last: bytes, line: bytes
) -> None:
    first, last = first.replace(b"\n", line), last.replace(b"\n", line)
    upstream.answer = pausing(first, last)
    before, between = fetch(kept, route).removesuffix(last).split(first)
    for silence in (before, between):
        assert silence.startswith(KEEP_ALIVE)
        assert silence.replace(KEEP_ALIVE, b"") == b""


def test_no_comment_is_written_into_an_event(upstream: RawUpstream, kept: Proxy) -> None:
    parts = [EVENT[:30], EVENT[30:-1], EVENT[-1:] + DONE]
    upstream.answer = pausing(*parts)
    received = fetch(kept)
    assert received.replace(KEEP_ALIVE, b"") == EVENT + DONE
    assert received.endswith(EVENT + DONE), "the event is in one piece"


@pytest.mark.parametrize(
    ("kind", "more", "parts"),
    [
        (b"application/json", b"", [b'{"a":', b"1}"]),
        (b"text/plain", b"", [b"a\n\n", b"b"]),
        (b"text/event-stream", b"content-encoding: gzip\r\n", [gzip.compress(EVENT), gzip.compress(DONE)]),
    ],
    ids=["JSON", "text", "compressed events"],
)
def test_nothing_is_written_into_what_is_no_plain_event_stream(
    upstream: RawUpstream, kept: Proxy, kind: bytes, more: bytes, parts: list[bytes]
) -> None:
    upstream.answer = pausing(*parts, kind=kind, more=more)
    assert fetch(kept) == b"".join(parts)


def test_comments_are_not_counted(upstream: RawUpstream, kept: Proxy, log: Log) -> None:
    upstream.answer = pausing(EVENT, USAGE, DONE)
    fetch(kept, name="counted")
    record = log.of("counted")
    assert (record["bytes_out"], record["total_tokens"]) == (len(EVENT + USAGE + DONE), 3)
    assert (record["outcome"], record["error"]) == ("complete", None)
    assert record["first_byte_ms"] >= 1_000 * PAUSE, "a comment is no byte of the answer"


def test_every_sdk_skips_the_comments(upstream: RawUpstream, kept: Proxy) -> None:
    upstream.answer = pausing(EVENT, EVENT, DONE)
    options = {"base_url": kept.base_url, "api_key": "unused", "max_retries": 0}
    with openai.OpenAI(**options, default_headers=kept.headers) as client:
        stream = client.chat.completions.create(model="gpt-4o-mini", messages=[], stream=True)
        assert [part.choices[0].delta.content for part in stream] == ["Hi", "Hi"]


def test_a_connection_is_used_again_after_a_silent_stream(upstream: RawUpstream, kept: Proxy) -> None:
    upstream.answer, upstream.arrived = pausing(EVENT, DONE), []
    fetch(kept)
    fetch(kept)
    assert len({arrived.connection for arrived in upstream.arrived}) == 1


@pytest.mark.parametrize("off", ["0", "0.0"])
def test_keeping_alive_can_be_switched_off(upstream: RawUpstream, off: str) -> None:
    upstream.answer = pausing(EVENT, DONE)
    with proxy(upstream.base, {"PROXY_KEEPALIVE_SECONDS": off}) as running:
        assert fetch(running) == EVENT + DONE


async def listen(answer: httpx.Response, heard: list[bytes]) -> None:
    async for piece in answer.stream:  # type: ignore[union-attr]
        heard.append(piece)


@pytest.mark.anyio
async def test_a_stream_that_says_nothing_for_too_long_is_broken_off(upstream: RawUpstream) -> None:
    upstream.answer = pausing(EVENT, *[b": x\n\n"] * 3)
    way, heard = Transport(30), list[bytes]()
    answer = await way.handle_async_request(httpx.Request("POST", upstream.base, content=b"{}"))
    answer.stream.tell_silence(BEAT, 3 * BEAT)  # type: ignore[union-attr]
    with pytest.raises(httpx.ReadTimeout):
        await listen(answer, heard)
    assert heard == [b"", b""]
    await answer.aclose()
    await way.aclose()
    assert own.STREAM_SILENCE_SECONDS > own.READ_SECONDS


@pytest.mark.anyio
async def test_every_byte_begins_the_silence_anew(upstream: RawUpstream) -> None:
    upstream.answer = pausing(*[EVENT] * 3)
    way, heard = Transport(30), list[bytes]()
    answer = await way.handle_async_request(httpx.Request("POST", upstream.base, content=b"{}"))
    answer.stream.tell_silence(BEAT, PAUSE + 2 * BEAT)  # type: ignore[union-attr]
    await listen(answer, heard)
    assert [piece for piece in heard if piece] == [EVENT] * 3
    await way.aclose()


def test_silence_is_told_from_a_break(upstream: RawUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs in this process, whose limits it can shorten."""
    monkeypatch.setattr(relay, "STREAM_SILENCE_SECONDS", 3 * BEAT)
    upstream.answer = pausing(b"", EVENT, DONE)
    sent: list[bytes] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(bytes(message.get("body", b"")))  # type: ignore[call-overload]

    async def receive() -> dict[str, str]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def call() -> str | None:
        scope = {"type": "http", "method": "POST", "headers": [], "query_string": b"", "path": "/"}
        record, way = Record(Request(scope), "chat/completions", ""), Transport(30)
        answer = await way.handle_async_request(httpx.Request("POST", upstream.base, content=b"{}"))
        await Relay(answer, [(b"content-type", b"text/event-stream")], record, BEAT)(scope, receive, send)  # type: ignore[arg-type]
        await way.aclose()
        closed.clear()
        return record.fields.outcome

    assert asyncio.run(call()) == "silent"
    assert sent[1:3] == [KEEP_ALIVE, KEEP_ALIVE]
    assert json.loads(sent[-1].removeprefix(b"data: "))["error"]["code"] == "upstream_stream_silent"
