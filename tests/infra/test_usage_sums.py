"""The queries of docs/usage.kql give the right sums on records that the real function printed."""

import json
import re
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infra.test_usage_queries import FIRST, QUERIES
from tests.support import Arrived, proxy, raw_upstream

MORNING = datetime(2026, 10, 5, 9, 30)
DAY, HOUR = MORNING.replace(hour=0, minute=0), MORNING.replace(minute=0)
(MODEL, INPUT_PRICE, OUTPUT_PRICE) = re.findall(r'"([\w.-]+)", ([\d.]+), ([\d.]+)', FIRST)[0]
MILLION = 1_000_000


def chat(tokens_in: int, tokens_out: int) -> bytes:
    usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
    return json.dumps({"object": "chat.completion", "model": MODEL, "choices": [], "usage": usage}).encode()


def response(status: str, **usage: int) -> bytes:
    return json.dumps({"id": "resp_1", "object": "response", "status": status, "usage": usage or None}).encode()


CALLS = [  # (method, route, model, Azure's status and body, hours after MORNING)
    ("POST", "chat/completions", MODEL, 200, chat(2 * MILLION, MILLION), 0),
    ("POST", "chat/completions", MODEL, 200, chat(3 * MILLION, 0), 1),
    ("POST", "chat/completions", "unpriced", 200, chat(10, 20), 1),
    ("POST", "chat/completions", MODEL, 429, b'{"error": {"code": "RateLimitReached"}}', 1),
    ("POST", "responses", MODEL, 200, response("queued"), 1),  # three calls for one response
    ("GET", "responses/resp_1", None, 200, response("in_progress"), 1),
    ("GET", "responses/resp_1", None, 200, response("completed", input_tokens=MILLION, output_tokens=7), 1),
    ("GET", "responses/resp_1", None, 200, response("completed", input_tokens=MILLION, output_tokens=7), 1),
]
OTHER_KEY = "0ther"  # the fingerprint of another class, whose first call is like ours


@pytest.fixture(scope="module")
def kql() -> Any:
    pytest.importorskip("duckdb")
    return pytest.importorskip("duckdb_kql", reason="duckdb-kql is not here: it runs Kusto queries on DuckDB")


@pytest.fixture(scope="module")
def traces(kql: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What asks a database, and a key of its lines. The database has the rows that Application Insights would hold: the
    function's printed lines, and others."""
    log = tmp_path_factory.mktemp("usage") / "stderr"
    settings = {"PROXY_KEY_SALT": "a salt of its own", "AZURE_OPENAI_DEPLOYMENT": f"{MODEL},unpriced"}
    with (
        raw_upstream() as upstream,
        log.open("wb") as file,
        proxy(upstream.base, settings, verbose=True, log=file) as running,
    ):
        for method, route, model, status, body, _ in CALLS:

            def answer(_: Arrived, sock: socket.socket, status: int = status, body: bytes = body) -> None:
                head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                sock.sendall(head.encode() + body)

            upstream.answer = answer
            asked = {"model": model, "messages": [], "input": "?"} if method == "POST" else None
            httpx.request(method, f"{running.base_url}/{route}", json=asked, headers=running.headers)
    lines = printed(log)
    assert len(lines) == len(CALLS)
    key = json.loads(lines[0].removeprefix("call "))["key"]
    rows = [
        (MORNING + timedelta(hours=call[-1]), line, f"item-{number}")
        for number, (call, line) in enumerate(zip(CALLS, lines, strict=True))
    ]
    rows.append((MORNING, lines[0].replace(key, OTHER_KEY), "item-other"))
    rows.append((MORNING, "INFO something else was printed", "item-else"))
    rows.append((MORNING - timedelta(days=1), f"2026-10-04T09:30 [stdout] {lines[0]}", "item-yesterday"))
    database = kql.connect()
    database.execute("CREATE TABLE traces (timestamp TIMESTAMP, message VARCHAR, itemId VARCHAR)")
    database.executemany("INSERT INTO traces VALUES (?, ?, ?)", rows)
    return lambda query: kql.kql(database, query), key


def printed(log: Path) -> list[str]:
    return [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("call ")]


def asked(traces: Any, title: str) -> list[dict[str, Any]]:
    (query,) = [query for query in QUERIES if query.startswith(title)]
    found = traces[0](FIRST + query)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def dollars(tokens_in: int, tokens_out: int) -> float:
    return round((tokens_in * float(INPUT_PRICE) + tokens_out * float(OUTPUT_PRICE)) / MILLION, 2)


def test_tokens_are_summed_by_key_and_day_and_a_response_that_is_polled_counts_once(traces: Any) -> None:
    found = asked(traces, "Tokens per key and day")
    today = {"day": DAY, "calls": 5, "calls_without_tokens": 1, "input": 6 * MILLION + 10, "output": MILLION + 27}
    once = {"calls": 1, "calls_without_tokens": 0, "input": 2 * MILLION, "output": MILLION}
    assert {"key": traces[1], **today} in found
    assert {"key": OTHER_KEY, "day": DAY, **once} in found
    assert {"key": traces[1], "day": DAY - timedelta(days=1), **once} in found
    assert len(found) == 3


def test_costs_are_what_the_prices_make_of_the_tokens(traces: Any) -> None:
    found = {(row["key"], row["day"]): row for row in asked(traces, "Estimated cost per key and day")}
    mine = found[traces[1], DAY]
    assert mine["dollars"] == pytest.approx(dollars(6 * MILLION, MILLION + 7))
    assert mine["calls_without_a_price"] == 1
    assert found[OTHER_KEY, DAY]["dollars"] == pytest.approx(dollars(2 * MILLION, MILLION))


def test_the_busiest_hour_comes_first(traces: Any) -> None:
    first = asked(traces, "Who used most within an hour")[0]
    expected = {"key": traces[1], "hour": HOUR + timedelta(hours=1), "calls": 4, "tokens": 4 * MILLION + 37}
    assert first == expected


def test_errors_are_counted_by_what_they_are(traces: Any) -> None:
    (found,) = asked(traces, "Errors per day")
    assert (found["status"], found["error"], found["calls"], found["keys"]) == (429, "RateLimitReached", 1, 1)


def test_times_are_of_calls_that_went_well(traces: Any) -> None:
    found = asked(traces, "How long calls take")
    assert sum(row["calls"] for row in found) == len(CALLS) - 1 + 2
    assert all(row["whole_p95"] >= row["first_byte_p50"] > 0 for row in found)


def test_the_share_of_refused_calls_is_of_its_hour(traces: Any) -> None:
    found = {row["hour"]: row for row in asked(traces, "Refused for want of tokens")}
    assert found[HOUR + timedelta(hours=1)] == {
        "hour": HOUR + timedelta(hours=1),
        "calls": 7,
        "refused": 1,
        "share": pytest.approx(100 / 7, abs=0.05),
    }
    assert found[HOUR]["refused"] == 0
