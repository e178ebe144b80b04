"""What an open page is told while things happen, and what it costs."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.azure.asgi import headers_of
from emulator.azure.journal import Exchange
from emulator.match.library import Library
from emulator.page import changes, feed, feeds
from emulator.page.changes import Changes
from emulator.page.control import Control
from emulator.page.subject import Subject
from emulator.server import bind, serving
from tests.page.conftest import STREAM, Running

Event = tuple[str, Any]


@contextmanager
def opened(base: str) -> Iterator[Iterator[Event]]:
    """The events as they come; a beat is an event without a name."""
    with httpx.stream("GET", f"{base}/_emulator/events", timeout=10, trust_env=False) as answer:
        assert answer.status_code == 200, answer.read()
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[Event]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
        elif line.startswith(":"):
            yield "", line


def until(told: Iterator[Event], holds: Callable[[str, Any], bool]) -> Any:
    return next(content for name, content in told if holds(name, content))


def calls(name: str, _: Any) -> bool:
    return name == "calls"


def test_a_page_gets_what_there_is_and_then_what_comes(running: Running) -> None:
    running.ask()
    with opened(running.base) as told:
        first = until(told, calls)
        assert (first["snapshot"], first["more"], [row["status"] for row in first["calls"]]) == (True, 0, [200])
        assert first["first"] == first["calls"][0]["number"]
        assert until(told, lambda name, _: name == "state")["counts"]["calls"] == 1
        began = time.monotonic()
        running.ask(b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Name the moons."}]}')
        came = until(told, lambda name, content: name == "calls" and content["calls"][-1]["ms"] is not None)
        assert time.monotonic() - began < 1
        assert (came["snapshot"], came["calls"][-1]["asked"], came["calls"][-1]["missed"]) == (
            False,
            "Name the moons.",
            True,
        )
        assert until(told, lambda name, _: name == "state")["counts"] == {
            "calls": 2,
            "misses": 1,
            "errors": 1,
            "open": 0,
        }


def test_a_row_is_what_the_list_says(running: Running) -> None:
    running.ask()
    with opened(running.base) as told:
        assert until(told, calls)["calls"] == running.get("calls")["calls"]


def test_an_open_stream_is_told_as_it_grows(running: Running) -> None:
    running.azure.time_scale = 0.05  # a frame each 200 ms
    with opened(running.base) as told:
        until(told, calls)
        asking = threading.Thread(target=running.ask, args=(STREAM,))
        asking.start()
        frames = []
        while not frames or frames[-1] < 4:
            row = until(told, calls)["calls"][-1]
            frames.append(row["frames"])
        asking.join()
        last = row if row["ms"] else until(told, calls)["calls"][-1]
        assert last["outcome"] == "complete"
    assert frames == sorted(frames)
    assert len(set(frames)) > 2


def test_what_is_changed_elsewhere_is_seen_at_once(running: Running) -> None:
    with opened(running.base) as told:
        until(told, lambda name, _: name == "state")
        running.patch(fault="rate_limited")
        assert until(told, lambda name, _: name == "state")["fault"] == "rate_limited"


def test_a_reset_is_told_and_numbers_go_on(running: Running) -> None:
    running.ask()
    with opened(running.base) as told:
        last = until(told, calls)["calls"][-1]["number"]
        running.api("POST", "reset", json={})
        assert until(told, lambda name, _: name != "state") == {}
        assert until(told, calls) == {"calls": [], "snapshot": True, "more": 0, "first": None}
        running.ask()
        assert until(told, calls)["calls"][0]["number"] == last + 1


def test_a_quiet_feed_beats_and_says_nothing_else(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.ask()
    running.azure.reset()
    monkeypatch.setattr(feed, "BEAT_SECONDS", 0.3)
    with opened(running.base) as told:
        until(told, lambda name, _: name == "state")
        assert [next(told) for _ in range(3)] == [("", ": beat")] * 3


def test_there_are_so_many_feeds_and_no_more(running: Running) -> None:
    def room() -> bool:
        return len(running.subject.feeds._ends) == 0

    wait(room)
    held = [
        socket.create_connection((httpx.URL(running.base).host, httpx.URL(running.base).port or 0))
        for _ in range(feeds.MOST + 12)
    ]
    for sock in held:  # all at once
        sock.sendall(b"GET /_emulator/events HTTP/1.1\r\nhost: localhost\r\n\r\n")
    answers = Counter(sock.recv(12) for sock in held)
    assert answers == {b"HTTP/1.1 200": feeds.MOST, b"HTTP/1.1 503": 12}
    refused = running.api("GET", "events")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "too_many_feeds")
    for sock in held:
        sock.close()
    wait(room)
    assert running.api("GET", "events").status_code == 200


def wait(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to hold")


def full(count: int, target: str = "/openai/v1/chat/completions") -> FakeAzure:
    azure = FakeAzure(Library())
    for number in range(count):
        exchange = Exchange("POST", target, headers_of(()), body=STREAM, status=200)
        azure.journal.add(exchange)
        if number % 100:
            azure.journal.ended(exchange, "complete")
    return azure


@pytest.mark.parametrize("is_read", [True, False], ids=["a page that reads", "a page that reads nothing"])
def test_an_open_page_does_not_keep_the_emulator_from_stopping(is_read: bool) -> None:
    azure = full(400, "/x" * 10_000)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with serving(azure, bind(0)) as base, Control(Subject(azure)):
            sock.connect((httpx.URL(base).host, httpx.URL(base).port))
            sock.sendall(b"GET /_emulator/events HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"
            sock.settimeout(0.5)
            while is_read:
                try:
                    sock.recv(2**20)
                except TimeoutError:
                    break
            time.sleep(0.3)
            began = time.monotonic()
        assert time.monotonic() - began < 0.8


def test_ten_thousand_calls_come_in_messages_of_two_hundred_and_none_is_lost() -> None:
    azure = full(10_000)
    told = Changes(Subject(azure))
    (first,) = [content for name, content in told.events() if name == "calls"]
    assert (len(first["calls"]), first["snapshot"]) == (changes.SNAPSHOT_ROWS, True)
    assert first["calls"][-1]["number"] == 10_000
    for _ in range(900):
        azure.journal.add(Exchange("GET", "/", headers_of(())))
    came = []
    while told.are_there() and (message := dict(told.events()).get("calls")):
        assert len(message["calls"]) <= changes.MESSAGE_ROWS
        came.append(message)
    assert [row["number"] for message in came for row in message["calls"]] == [*range(10_001, 10_901)]
    assert [message["more"] for message in came] == [700, 500, 300, 100, 0]
    assert came[0]["first"] == 901, "the journal keeps the last 10,000"


def test_who_is_behind_hears_of_open_calls_and_of_new_ones() -> None:
    azure = FakeAzure(Library())
    still = [Exchange("GET", "/", headers_of(())) for _ in range(400)]
    for exchange in still:
        azure.journal.add(exchange)
    told = Changes(Subject(azure))
    list(told.events())
    for exchange in still:
        exchange.sending = [b"x"]
        azure.journal.sent(exchange)
    azure.journal.add(Exchange("GET", "/", headers_of(())))
    heard = [row["number"] for _ in range(4) for row in dict(told.events())["calls"]["calls"]]
    assert sorted(heard) == [*range(1, 402)]
    assert not told.are_there() or "calls" not in dict(told.events())


def test_to_see_that_nothing_happened_takes_no_time() -> None:
    """Ten times a second, with as many calls as the journal keeps; and the messages take milliseconds."""
    told = Changes(Subject(full(10_000)))
    began = time.thread_time()
    list(told.events())
    assert time.thread_time() - began < 0.25
    began = time.thread_time()
    for _ in range(100):
        told.are_there()
    assert time.thread_time() - began < 0.05


@pytest.mark.anyio
async def test_under_load_a_page_lags_and_takes_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that took 20 ms to make is followed by a pause of two seconds."""
    pauses: list[float] = []
    told = feed.Feed(feeds.Feeds(), Changes(Subject(full(10))))
    monkeypatch.setattr(told, "_message", lambda: (b"x", 0.02))

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        raise TimeoutError

    async def send(_: Any) -> None: ...

    monkeypatch.setattr(asyncio, "sleep", pause)
    with pytest.raises(TimeoutError):
        await told._tell(send)
    assert pauses == [pytest.approx(2.0)]
