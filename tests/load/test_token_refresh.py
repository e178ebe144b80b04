"""The proxy renews its token under load, through the host, with the real credential. The clock of the proxy's process
runs faster, so a minute passes in seconds."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from emulator.azure.app import IDENTITY_PATH
from emulator.match.library import Library
from tests.load.footprint import Counted, counted_proxy
from tests.support import Arrived, raw_upstream, recording

pytestmark = pytest.mark.long  # tests/proxy/test_identity.py has each promise without a host
BODY = b'{"model":"gpt-4o-mini","messages":[]}'
CLOCK_FACTOR = 20.0
CALLERS = 64
MINUTE = 60.0 / CLOCK_FACTOR  # in seconds of this process


@dataclass
class Endpoint:
    """The identity endpoint. It answers while `opened` is set. Where it is `down`, it hangs up instead. Its tokens live
    for `lifetime` seconds."""

    counted: Counted
    lifetime: float
    opened: threading.Event = field(default_factory=threading.Event)
    down: bool = False
    asked: int = 0
    answered: int = 0

    def answer(self, request: Arrived, sock: socket.socket) -> None:
        self.asked += 1
        self.opened.wait(20)
        if self.down:
            sock.shutdown(socket.SHUT_RDWR)
            return
        identity = self.counted.running.azure.identity
        identity.lifetime = self.lifetime + self.counted.now() - time.time()
        query = request.line.split(" ")[1].partition("?")[2]
        status, body = identity.answer(query, request.headers["x-identity-header"])
        head = f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)
        self.answered += 1


@contextmanager
def behind_endpoint(lifetime: float) -> Iterator[Endpoint]:
    """A proxy whose tokens live for `lifetime` seconds."""
    with (
        raw_upstream() as upstream,
        counted_proxy(
            library=Library([recording(BODY, b'{"ok":true}')]),
            settings={"IDENTITY_ENDPOINT": upstream.base + IDENTITY_PATH},
            clock_factor=CLOCK_FACTOR,
        ) as counted,
    ):
        endpoint = Endpoint(counted, lifetime)
        upstream.answer = endpoint.answer
        yield endpoint


def call_at_once(counted: Counted, callers: int = CALLERS) -> None:
    """Passes if every call gets a 200."""

    async def call() -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=callers), timeout=60) as client:
            url = f"{counted.running.base_url}/chat/completions"
            calls = (client.post(url, content=BODY, headers=counted.running.headers) for _ in range(callers))
            answers = await asyncio.gather(*calls)
        assert [answer.json() for answer in answers] == [{"ok": True}] * callers

    asyncio.run(call())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_64_callers_at_once_cost_one_request_for_a_token() -> None:
    with behind_endpoint(lifetime=86_400) as endpoint:
        threading.Timer(0.5, endpoint.opened.set).start()
        call_at_once(endpoint.counted)
        call_at_once(endpoint.counted)
        assert endpoint.asked == 1


def test_nobody_waits_for_a_new_token_while_the_old_one_is_good() -> None:
    with behind_endpoint(lifetime=280) as endpoint:  # below five minutes, so the proxy renews it at once
        endpoint.opened.set()
        call_at_once(endpoint.counted, 1)
        time.sleep(0.6 * MINUTE)  # the proxy waits half a minute between two attempts
        endpoint.opened.clear()
        call_at_once(endpoint.counted)
        call_at_once(endpoint.counted)
        wait_until(lambda: endpoint.asked == 2)
        assert endpoint.answered == 1, "all were served while the endpoint kept its answer back"
        endpoint.opened.set()
        wait_until(lambda: endpoint.answered == 2)
        call_at_once(endpoint.counted)
        assert endpoint.asked == 2


def test_an_endpoint_that_is_down_for_a_minute_costs_no_request() -> None:
    with behind_endpoint(lifetime=280) as endpoint:
        endpoint.opened.set()
        call_at_once(endpoint.counted, 1)
        time.sleep(0.6 * MINUTE)
        endpoint.down = True
        back = time.monotonic() + MINUTE
        while time.monotonic() < back:
            call_at_once(endpoint.counted)
        assert endpoint.asked > 1, "it was asked, and was down"
        assert endpoint.answered == 1
        endpoint.down, endpoint.lifetime = False, 86_400
        wait_until(lambda: call_at_once(endpoint.counted, 1) or endpoint.answered == 2)
