"""The fake Azure computes some things once for equal requests. Each request still gets its own answer."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.azure.journal import Exchange
from emulator.azure.limits import Limits
from emulator.connection import Connection
from emulator.match.library import Library
from emulator.page.control import Control
from emulator.page.subject import Subject
from emulator.server import bind, serving
from tests.support import recording

CHAT = "/openai/v1/chat/completions"
BODY = b'{"model":"gpt-4o-mini"}'
FRAMES = b"data: 1\n\n", b"data: 2\n\n"


class Running:
    """A fake Azure and one open connection to it."""

    def __init__(self, azure: FakeAzure, base: str) -> None:
        self.azure, self.address = azure, urlsplit(base)
        self.client = httpx.Client(base_url=base, headers={"api-key": azure.api_key}, trust_env=False)

    def ask(self, body: bytes = BODY, **headers: str) -> httpx.Response:
        return self.client.post(CHAT, content=body, headers=headers)

    def begin(self, sock: socket.socket, body: bytes, path: str = CHAT) -> None:
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\napi-key: {self.azure.api_key}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        sock.sendall(head.encode() + body)

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address.hostname or "", self.address.port or 0), timeout=5)


@pytest.fixture
def running() -> Iterator[Running]:
    azure = FakeAzure(Library())
    with serving(azure, bind(0)) as base, Control(Subject(azure)):
        running = Running(azure, base)
        with running.client:
            yield running


def test_identical_requests_get_their_recordings_in_order_and_again_after_a_reset(running: Running) -> None:
    for answer in (b"1", b"2", b"3"):
        running.azure.library.add(recording(BODY, answer))
    for _ in range(2):
        assert [running.ask().content for _ in range(5)] == [b"1", b"2", b"3", b"3", b"3"]
        running.azure.reset()


def test_a_recording_that_is_added_answers_the_request_that_was_missed(running: Running) -> None:
    assert [running.ask().status_code for _ in range(2)] == [424, 424]
    running.azure.library.add(recording(BODY, b"1"))
    assert running.ask().content == b"1"
    running.azure.library.add(recording(BODY, b"2"))
    assert running.ask().content == b"2"


def test_the_library_can_be_exchanged(running: Running) -> None:
    running.azure.library.add(recording(BODY, b"1"))
    assert running.ask().content == b"1"
    running.azure.library = Library([recording(BODY, b"2")])
    assert running.ask().content == b"2"


def test_who_asks_is_looked_at_each_time(running: Running) -> None:
    running.azure.library.add(recording(BODY, b"1"))
    asked = [running.ask(), running.ask(**{"api-key": "wrong"}), running.ask()]
    assert [answer.status_code for answer in asked] == [200, 401, 200]
    twice = [("api-key", running.azure.api_key), ("api-key", "wrong")]
    assert httpx.post(running.client.base_url.join(CHAT), content=BODY, headers=twice).status_code == 200, "the first"
    running.azure.api_key = "another"
    assert running.ask().status_code == 401


def test_which_deployments_exist_is_looked_at_each_time(running: Running) -> None:
    running.azure.library.add(recording(BODY, b"1"))
    assert running.ask().status_code == 200
    running.azure.deployments = frozenset({"gpt-9"})
    assert running.ask().json()["error"]["code"] == "unknown_model"


def test_what_the_rate_limits_said_is_not_said_again(running: Running) -> None:
    running.azure.library.add(recording(BODY, b"1"))
    running.azure.limits = Limits(requests=2)
    left = [running.ask().headers["x-ratelimit-remaining-requests"] for _ in range(2)]
    assert (left, running.ask().status_code) == (["1", "0"], 429)
    running.azure.reset()
    assert "x-ratelimit-remaining-requests" not in running.ask().headers


def test_a_fault_hits_one_answer_and_not_the_next(running: Running) -> None:
    running.azure.library.add(recording(BODY, b'{"a":1}'))
    asked = [running.ask(), running.ask(**{"openai-emulator-fault": "wrong_content_type"}), running.ask()]
    assert [answer.headers["content-type"] for answer in asked] == ["application/json", "text/html", "application/json"]


def test_each_exchange_is_in_the_journal_as_it_was(running: Running) -> None:
    running.azure.library.add(recording(BODY, b"1"))
    for number in range(3):
        running.ask(**{"x-number": str(number)})
    running.ask(BODY + b" ")
    noted = running.azure.journal.exchanges
    assert [exchange.header("x-number") for exchange in noted] == ["0", "1", "2", None]
    assert [exchange.body for exchange in noted] == [BODY, BODY, BODY, BODY + b" "]
    assert [(exchange.sent, len(exchange.sent_at), exchange.outcome) for exchange in noted] == [
        ([b"1"], 1, "complete")
    ] * 4
    assert len({exchange.started_at for exchange in noted}) == 4
    told = running.client.get("/_emulator/journal").text
    assert [exchange["body"] for exchange in json.loads(told)["exchanges"]] == [e.body.decode() for e in noted]


@pytest.mark.parametrize("moment", ["it arrives", "a piece leaves", "it ends"])
def test_who_waits_in_another_thread_is_woken_when(running: Running, moment: str) -> None:
    has_come = {
        "it arrives": lambda exchange: True,
        "a piece leaves": lambda exchange: exchange.sent,
        "it ends": lambda exchange: exchange.outcome == "complete" and exchange.ended_at,
    }[moment]
    running.azure.library.add(recording(BODY, b"1"))
    waiting, woken = threading.Event(), list[float]()

    def looks(exchanges: list[Exchange]) -> bool:
        waiting.set()
        return any(map(has_come, exchanges))

    def wait() -> None:
        running.azure.journal.wait_for(looks, timeout=10)
        woken.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(5)
    asked = time.monotonic()
    running.ask()
    thread.join(10)
    assert woken, "it waited in vain"
    assert woken[0] - asked < 5


def test_the_journal_is_read_while_others_write() -> None:
    azure = FakeAzure(Library([recording(BODY, b"1")]))
    with serving(azure, bind(0)) as base:
        running = Running(azure, base)
        reading = threading.Event()

        def read() -> None:
            while not reading.is_set():
                assert all(exchange.target == CHAT for exchange in azure.journal.exchanges)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        with running.client:
            assert {running.ask().status_code for _ in range(200)} == {200}
        reading.set()
        for reader in readers:
            reader.join(5)
        assert len(azure.journal.exchanges) == 200


def test_a_client_that_leaves_is_noticed_while_the_answer_waits(running: Running) -> None:
    for answer in (b"1", b"2"):
        running.azure.library.add(recording(BODY, answer))
    running.azure.misbehave("slow_first_byte; seconds=60")
    with running.connect() as sock:
        running.begin(sock, BODY)
        running.azure.journal.wait_for(lambda exchanges: exchanges and exchanges[0].recording)
    running.azure.journal.wait_for(lambda exchanges: exchanges[0].outcome == "client_left", timeout=5)
    running.azure.fault = None
    assert [running.ask().content for _ in range(2)] == [b"1", b"2"], "what nobody got is played again"


def test_reading_goes_on_after_a_large_body_or_nobody_sees_the_client_leave() -> None:
    """The test uses no socket, because the kernel's cuts would decide whether the server has paused."""
    done = list[str]()
    transport: Any = SimpleNamespace(
        pause_reading=lambda: done.append("pause"), resume_reading=lambda: done.append("resume")
    )
    flow = FlowControl(transport)
    flow.pause_reading()
    Connection(transport, flow).watch()
    assert done == ["pause", "resume"]


def test_a_client_that_leaves_something_else_on_its_connection_is_no_error(running: Running) -> None:
    running.azure.library.add(recording(BODY, b"1"))
    told = list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("uvicorn.error").addHandler(handler)
    try:
        with running.connect() as sock:
            running.begin(sock, BODY)
            assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
            running.azure.identity.delay = 0.2
            running.begin(sock, b"", IDENTITY_PATH)
            while not running.azure.identity.requests:
                time.sleep(0.01)
        time.sleep(0.4)
    finally:
        logging.getLogger("uvicorn.error").removeHandler(handler)
    assert told == []


@pytest.mark.parametrize(("time_scale", "seconds"), [(1.0, 0.4), (4.0, 0.1), (0.0, 0.0)])
def test_a_stream_leaves_as_fast_as_is_asked_now(running: Running, time_scale: float, seconds: float) -> None:
    made = recording(BODY, b"".join(FRAMES), sse=True)
    running.azure.library.add(replace(made, response=replace(made.response, frame_at_ms=(0.0, 400.0))))
    running.ask()
    running.azure.time_scale = time_scale
    assert running.ask().content == b"".join(FRAMES)
    first, second = running.azure.journal.exchanges[-1].sent_at
    assert seconds - 0.05 < second - first < seconds + 0.2
