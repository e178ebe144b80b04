"""Budgets limit calls through the real proxy, over sockets, with an upstream that counts tokens."""

import asyncio
import gzip
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
import openai
import pytest

from tests.keys.signing import TODAY, key_text, keys_url
from tests.support import Arrived, Log, Proxy, RawUpstream, sending

ANSWER = json.dumps({"usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}}).encode()
JSON, SSE = b"content-type: application/json", b"content-type: text/event-stream"
EVENT = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}\n\n'
DONE = b"data: [DONE]\n\n"


def ask(proxy: Proxy, key: str, route: str = "chat/completions", name: str = "", **body: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}", "x-client-request-id": name}
    content = json.dumps({"model": "gpt-4o", "messages": [], **body})
    return httpx.post(f"{keys_url(proxy)}/{route}", headers=headers, content=content, timeout=20)


def usage(proxy: Proxy, key: str) -> dict[str, Any]:
    answer = httpx.get(f"{keys_url(proxy)}/usage", headers={"authorization": f"Bearer {key}"})
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def settled(proxy: Proxy, key: str, requests: int) -> dict[str, Any]:
    """The key's usage of today, after `requests` of its calls have ended."""
    deadline, wanted = time.monotonic() + 5, (requests, 0, 0)
    while True:
        told: dict[str, Any] = usage(proxy, key)["today"]
        counted = told["requests"], told["open_requests"], told["reserved_tokens"]
        if counted == wanted or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    assert counted == wanted
    return told


def test_a_key_can_ask_what_is_left_of_its_own(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(ANSWER, JSON)
    limits = {"requests_a_day": 5, "tokens_a_day": 100, "tokens_a_minute": 90}
    key = key_text("usage", models=("gpt-4o",), **limits)
    ask(signed, key)
    settled(signed, key, 1)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert usage(signed, key) == {
        "object": "usage",
        "key": {"id": "id-usage", "name": "usage", "ends": TODAY.isoformat(), "models": ["gpt-4o"]},
        "day": datetime.now(UTC).date().isoformat(),
        "starts_anew": f"{tomorrow}T00:00:00Z",
        "today": {
            **{"requests": 1, "input_tokens": 20, "output_tokens": 10, "total_tokens": 30, "estimated": 0},
            **{"open_requests": 0, "reserved_tokens": 0},
        },
        "limits": {**limits, "requests_a_minute": None},
        "left": {"requests_a_day": 4, "tokens_a_day": 70, "requests_a_minute": None, "tokens_a_minute": 60},
        "counted": "this instance alone",
    }


def test_every_answer_tells_what_was_left_before_it(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(ANSWER, JSON)
    key = key_text("header", tokens_a_day=100)
    left = []
    for number in range(1, 4):
        left.append(ask(signed, key).headers["x-proxy-tokens-left"])
        settled(signed, key, number)
    assert left == ["100", "70", "40"]
    assert "x-proxy-tokens-left" not in ask(signed, key_text("without a limit")).headers


def test_a_refused_call_reaches_nobody_and_says_whose_limit_it_was(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(ANSWER, JSON)
    client = openai.OpenAI(base_url=keys_url(signed), api_key=key_text("refused", tokens_a_day=25))
    client.chat.completions.create(model="gpt-4o", messages=[])
    settled(signed, client.api_key, 1)
    upstream.arrived.clear()
    began = time.monotonic()
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="gpt-4o", messages=[])
    assert time.monotonic() - began < 0.4, "the SDK does not try again"
    assert refused.value.code == "key_budget_used_up"
    assert "not Azure's" in refused.value.message
    assert refused.value.response.headers["x-proxy-limit-of"] == "key"
    assert int(refused.value.response.headers["retry-after"]) <= 86_400
    assert upstream.arrived == []


def test_azures_own_429_is_unchanged_and_told_apart_and_costs_nothing(signed: Proxy, upstream: RawUpstream) -> None:
    body = b'{"error":{"code":"429","message":"Rate limit is exceeded."}}'
    upstream.answer = sending(body, JSON, b"retry-after: 7", status=b"429 Too Many Requests")
    key = key_text("azure", tokens_a_day=100, requests_a_day=9)
    answer = ask(signed, key)
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (429, body, "7")
    assert answer.headers["x-proxy-limit-of"] == "azure"
    settled(signed, key, 0)


def test_a_hundred_parallel_calls_with_1000_tokens_left_do_not_get_a_hundred_answers(
    signed: Proxy, upstream: RawUpstream
) -> None:
    go = threading.Event()

    def answer(_: Arrived, sock: socket.socket) -> None:
        go.wait(20)
        sending(ANSWER, JSON)(_, sock)

    upstream.answer = answer
    key = key_text("parallel", tokens_a_day=1_000)
    body = {"model": "gpt-4o", "messages": [], "max_tokens": 190}
    answers: list[tuple[int, dict[str, Any]]] = []

    async def call(client: aiohttp.ClientSession) -> None:
        async with client.post(f"{keys_url(signed)}/chat/completions", json=body) as got:
            answers.append((got.status, await got.json()))
        if len(answers) == 95:
            go.set()

    async def main() -> None:
        headers = {"authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as client:
            await asyncio.gather(*(call(client) for _ in range(100)))

    asyncio.run(main())
    assert [status for status, _ in answers].count(200) == 5  # which reserve 202 tokens each
    assert {told["error"]["code"] for status, told in answers if status == 429} == {"key_budget_reserved"}
    assert settled(signed, key, 5)["total_tokens"] == 150


@pytest.mark.parametrize(
    ("events", "tokens", "is_estimated"),
    [(EVENT * 40 + DONE, (12, 40), True), (EVENT * 40 + USAGE + DONE, (20, 10), False)],
)
def test_a_stream_is_charged_by_its_usage_or_by_its_size(
    signed: Proxy, upstream: RawUpstream, log: Log, events: bytes, tokens: tuple[int, int], is_estimated: bool
) -> None:
    upstream.answer = sending(events, SSE)
    key = key_text(f"stream {is_estimated}")
    assert ask(signed, key, name=f"stream {is_estimated}", stream=True).content == events
    told = settled(signed, key, 1)
    assert (told["input_tokens"], told["output_tokens"], told["estimated"]) == (*tokens, int(is_estimated))
    record = log.of(f"stream {is_estimated}")
    assert (record["key"], record["input_tokens"], record["output_tokens"]) == (f"stream {is_estimated}", *tokens)
    assert record["estimated"] == (is_estimated or None)


def test_a_compressed_stream_is_charged_as_much_as_a_plain_one(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(gzip.compress(EVENT * 40 + DONE), SSE, b"content-encoding: gzip")
    key = key_text("compressed")
    assert ask(signed, key, stream=True).content == EVENT * 40 + DONE
    assert 40 <= settled(signed, key, 1)["output_tokens"] <= 41


def test_who_leaves_is_charged_what_was_produced(signed: Proxy, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999\r\n\r\n"
    upstream.answer = lambda _, sock: sock.sendall(head + EVENT * 25)
    key = key_text("leaver", tokens_a_day=100_000)
    headers = {"authorization": f"Bearer {key}"}
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "x" * 400}]}
    with httpx.stream("POST", f"{keys_url(signed)}/chat/completions", headers=headers, json=body) as answer:
        received = 0
        for chunk in answer.iter_raw():
            received += len(chunk)
            if received == len(EVENT) * 25:
                break
    told = settled(signed, key, 1)
    assert told["output_tokens"] == 25
    assert 100 <= told["input_tokens"] <= 130


def test_without_a_table_no_key_stores_anything(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.arrived.clear()
    answer = ask(signed, key_text("store"), "responses", input="x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "storing_is_off")
    assert upstream.arrived == []


def test_only_signed_keys_have_a_usage(signed: Proxy) -> None:
    answer = httpx.get(f"{signed.base_url}/usage", headers=signed.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert httpx.get(f"{keys_url(signed)}/usage").status_code == 401
