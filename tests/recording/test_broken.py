"""An answer that breaks off while the recorder runs breaks off for the client, and in every replay."""

import asyncio
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.azure.journal import Exchange
from emulator.match.library import Library
from emulator.recording.stack import RecordingStack, Wish
from emulator.server import bind, serving
from emulator.stack import CASSETTES
from emulator.tape import cassette
from tests.e2e.scenarios import chat
from tests.recording.conftest import Live
from tests.support import Arrived, raw_upstream

FRAMES = cassette.load(CASSETTES / "chat/stream.yaml").interactions[0].response.frames()[:3]
BODY = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Break."}],"stream":true}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def finish(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def client_of(azure: FakeAzure) -> Iterator[httpx.Client]:
    headers = {"api-key": azure.api_key, "content-type": "application/json"}
    with serving(azure, bind(0)) as base, httpx.Client(base_url=base, headers=headers, timeout=10) as client:
        yield client


def read(client: httpx.Client, body: bytes = BODY) -> tuple[bytes, str]:
    """The bytes that came, and how the answer ended."""
    got = b""
    try:
        with client.stream("POST", "/openai/v1/chat/completions", content=body) as answer:
            for piece in answer.iter_raw():
                got += piece
    except httpx.HTTPError as error:
        return got, type(error).__name__
    return got, "complete"


@pytest.mark.parametrize(
    ("head", "sent", "breaks", "outcome", "seen"),
    [
        (HEAD, b"".join(map(chunk, FRAMES)), reset, "reset", "ReadError"),
        (HEAD, b"".join(map(chunk, FRAMES)), finish, "truncated", "RemoteProtocolError"),
        (HEAD, chunk(FRAMES[0]) + chunk(FRAMES[1])[:40], finish, "truncated", "RemoteProtocolError"),
        (HEAD, chunk(FRAMES[0]) + b"no chunk", finish, "truncated", "RemoteProtocolError"),
        (JSON_HEAD, b'{"choices":[', finish, "truncated", "RemoteProtocolError"),
        (JSON_HEAD, b'{"choices":[', reset, "reset", "ReadError"),
    ],
    ids=["reset", "closed", "closed in a frame", "malformed chunk", "closed in JSON", "reset in JSON"],
)
def test_what_breaks_is_recorded_and_replayed_as_broken(
    folder: Path, head: bytes, sent: bytes, breaks: object, outcome: str, seen: str
) -> None:
    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(head + sent)
        time.sleep(0.1)  # a reset overtakes bytes that are under way
        breaks(sock)  # type: ignore[operator]

    with raw_upstream() as upstream:
        upstream.answer = answer
        env = {
            "AZURE_OPENAI_BASE": upstream.base,
            "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
            "AZURE_OPENAI_API_KEY": "k",
        }
        stack = RecordingStack([folder], Wish("once"), folder / "run", env=env)
        stack.begin("broken")
        with client_of(stack.azure) as client:
            live = read(client)
            stack.finish()
            stack.live.close()
    recorded = cassette.load(folder / "broken.yaml").interactions[0].response
    assert (live[1], recorded.outcome, recorded.body) == (seen, outcome, live[0])
    with client_of(FakeAzure(Library.from_folders([folder]))) as client:
        assert read(client) == live


def test_a_client_that_leaves_is_recorded_with_what_it_got(live: Live, folder: Path) -> None:
    async def hold(exchange: Exchange, number: int) -> None:
        if number == 3:
            await asyncio.Event().wait()

    live.azure.hold = hold
    with live.recording(folder, "left") as client:
        stream = chat.story(client)
        for _ in range(3):
            next(stream)
        stream.close()
        live.azure.journal.wait_for(lambda exchanges: exchanges and exchanges[0].outcome == "client_left")
    recorded = cassette.load(folder / "left.yaml").interactions[0].response
    assert (recorded.outcome, len(recorded.frames())) == ("client_cancelled", 3)
    with client_of(FakeAzure(Library.from_folders([folder]))) as client:
        got, how = read(client, recorded_request(folder))
    assert (got, how) == (recorded.body, "RemoteProtocolError")


def test_a_client_that_leaves_at_the_last_event_has_read_it_all(live: Live, folder: Path) -> None:
    """The OpenAI SDK closes the connection when it has read [DONE]."""
    with live.recording(folder, "done") as client:
        list(chat.story(client))
    assert cassette.load(folder / "done.yaml").interactions[0].response.outcome == "complete"


def recorded_request(folder: Path) -> bytes:
    return cassette.load(folder / "left.yaml").interactions[0].request.body
