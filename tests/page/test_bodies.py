"""The journal keeps a limited number of bytes of requests."""

import pytest

from emulator.azure import journal
from emulator.azure.asgi import Fields
from emulator.azure.journal import Exchange, Journal
from tests.page.conftest import Running

KILOBYTE = 2**10


def ended(kept: Journal, body: bytes) -> Exchange:
    exchange = Exchange("POST", "/", Fields(), body)
    kept.add(exchange)
    kept.ended(exchange, "complete")
    return exchange


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's limits, a thousand times smaller."""
    monkeypatch.setattr(journal, "MOST_BODY_BYTES", journal.MOST_BODY_BYTES // 1024)
    monkeypatch.setattr(journal, "KEPT_BODY_BYTES", journal.KEPT_BODY_BYTES // 1024)


def test_as_many_large_bodies_as_you_like_do_not_fill_the_memory(small_limits: None) -> None:
    kept, most = Journal(), 0
    for number in range(2_000):
        ended(kept, b"%05d" % number * 1024)
        if number % 50 == 0:
            most = max(most, sum(len(exchange.body) for exchange in kept.exchanges))
    exchanges = kept.exchanges
    held = [exchange for exchange in exchanges if exchange.body]
    assert (len(exchanges), exchanges[-1].body[:5]) == (2_000, b"01999")
    assert most <= 256 * 1024
    assert 40 <= len(held) <= 51
    assert held == exchanges[-len(held) :], "the oldest lose theirs first"
    assert {exchange.dropped for exchange in exchanges[: -len(held)]} == {5 * 1024}


def test_a_body_that_many_share_counts_once(small_limits: None) -> None:
    kept, body = Journal(), b"a" * KILOBYTE
    exchanges = [ended(kept, body) for _ in range(1_000)]
    assert all(exchange.body is body for exchange in exchanges)


def test_a_call_that_is_open_keeps_its_body(small_limits: None) -> None:
    kept = Journal()
    open_one = Exchange("POST", "/", Fields(), b"a" * KILOBYTE)
    kept.add(open_one)
    for number in range(300):
        ended(kept, bytes([number % 256]) * KILOBYTE)
    assert len(open_one.body) == KILOBYTE


def test_a_call_says_that_its_body_is_gone(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_BODY_BYTES", 3_000)
    monkeypatch.setattr(journal, "KEPT_BODY_BYTES", 2_000)
    body = b'{"model":"gpt-4o-mini","messages":"' + b"a" * 1_500 + b'"}'
    for _ in range(3):
        running.ask(body + b" " * len(running.azure.journal.exchanges))
    first, _, last = running.get("calls")["calls"]
    assert (first["body_dropped"], first["bytes_in"], last["body_dropped"]) == (True, len(body), False)
    assert first["model"] == "gpt-4o-mini"
    assert running.get(f"calls/{first['number']}")["body"] is None
    for path in ("request", "difference", "export"):
        assert running.api("GET", f"calls/{first['number']}/{path}").status_code == 404
    assert running.api("GET", f"calls/{last['number']}/request").content == body + b"  "
