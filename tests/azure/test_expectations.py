"""A test can make assertions about an exchange, and a failure names the assertion."""

import asyncio
import time
from dataclasses import replace

import httpx
import pytest
from openai import OpenAI

from emulator.azure import expect
from emulator.azure.journal import Exchange
from emulator.emulation import Emulator
from tests.e2e.scenarios import chat
from tests.golden import assert_golden

STORY = "Tell a story about a lighthouse in two sentences."
LEFT = Exchange(
    "POST",
    "/openai/v1/responses",
    (),
    status=200,
    recording="x #1",
    outcome="complete",
    sent_at=[1.0, 1.1, 1.2],
    sent_headers=(("Content-Type", "text/event-stream"), ("x-request-id", "1"), ("Date", "today")),
    sending=[b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"],
)
BODY = b"".join(LEFT.sent)
HEADERS = [("content-type", "text/event-stream"), ("x-request-id", "1"), ("date", "tomorrow")]


def test_what_is_as_it_should_be_says_nothing() -> None:
    expect.streamed(LEFT, [1.001, 1.101, 1.201], max_lag_ms=2)
    expect.transparent(LEFT, 200, HEADERS, BODY)
    expect.all_played(["x #1"], [LEFT])


BROKEN = {
    "a frame late": lambda: expect.streamed(LEFT, [1.001, 1.15, 1.201], max_lag_ms=2),
    "a frame less": lambda: expect.streamed(LEFT, [1.001, 1.15], max_lag_ms=2),
    "all at the end": lambda: expect.streamed(LEFT, [1.201, 1.201, 1.201], max_lag_ms=500),
    "another status": lambda: expect.transparent(LEFT, 201, HEADERS, BODY),
    "a header less": lambda: expect.transparent(LEFT, 200, HEADERS[:1], BODY),
    "a header more": lambda: expect.transparent(LEFT, 200, [*HEADERS, ("x-more", "1")], BODY),
    "another byte": lambda: expect.transparent(LEFT, 200, HEADERS, BODY.replace(b"2", b"5")),
    "a byte less": lambda: expect.transparent(LEFT, 200, HEADERS, BODY[:-1]),
    "a byte more": lambda: expect.transparent(LEFT, 200, HEADERS, BODY + b"x"),
    "not played": lambda: expect.all_played(["x #1", "x #2"], [LEFT]),
    "not to its end": lambda: expect.all_played(["x #1"], [replace(LEFT, outcome="client_left")]),
}


def test_what_is_not_is_told_with_its_place() -> None:
    told = []
    for name, demand in BROKEN.items():
        with pytest.raises(AssertionError) as failed:
            demand()
        told.append(f"{name}: {failed.value}\n")
    assert_golden("expectations.txt", "".join(told))


def test_a_real_answer_is_transparent_and_all_is_played(aoai_emulator: Emulator, openai_client: OpenAI) -> None:
    raw = openai_client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "What is the capital of France?"}]
    )
    aoai_emulator.assert_transparent(raw.http_response)
    aoai_emulator.assert_all_played("chat/question")
    with pytest.raises(AssertionError, match="not played: chat/stream #1"):
        aoai_emulator.assert_all_played("chat/question", "chat/stream")


def test_a_real_stream_is_streamed(aoai_emulator: Emulator, proxy_base_url: str, function_key: str) -> None:
    async def hold(exchange: Exchange, number: int) -> None:
        while number > len(received):
            await asyncio.sleep(0.001)

    received: list[float] = []
    aoai_emulator.azure.hold = hold
    headers = {"x-functions-key": function_key}
    body = {"model": "gpt-4o-mini", "stream": True, "messages": chat.user(STORY)}
    with httpx.stream("POST", f"{proxy_base_url}/chat/completions", json=body, headers=headers) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                received.append(time.monotonic())
    aoai_emulator.assert_streamed(received, max_lag_ms=5_000)
