"""Streams that surprise clients: an error after status 200, and verdicts of the content filter without a delta."""

import asyncio
from typing import Any

import httpx
import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, OpenAI

from emulator.emulation import Emulator
from tests.e2e.scenarios import Ask, client_options, streams


def until_error(stream: Any) -> tuple[list[Any], APIError]:
    events: list[Any] = []
    with pytest.raises(APIError) as caught:
        events.extend(stream)  # keeps the events before the error
    return events, caught.value


async def until_error_async(emulator: Emulator) -> tuple[list[Any], APIError]:
    events: list[Any] = []

    async def read(stream: Any) -> None:
        async for event in stream:
            events.append(event)

    async with AsyncOpenAI(**client_options(emulator.stack.base_url, emulator.stack.function_key)) as client:
        stream = await streams.limited_in_stream(client)  # type: ignore[arg-type]
        with pytest.raises(APIError) as caught:
            await read(stream)
    return events, caught.value


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_error_in_mid_stream_is_raised_after_the_failed_response(
    kind: str, openai_client: OpenAI, aoai_emulator: Emulator
) -> None:
    if kind == "sync":
        events, error = until_error(streams.limited_in_stream(openai_client))
    else:
        events, error = asyncio.run(until_error_async(aoai_emulator))
    assert [event.type for event in events] == ["response.created", "response.failed"]
    failed = events[-1].response
    assert (failed.status, failed.error, failed.incomplete_details) == ("failed", None, None)
    assert (error.code, error.type) == ("rate_limit_exceeded", "too_many_requests")
    assert not isinstance(error, APIStatusError), "the status was 200, so the SDK does not try again"
    assert "exceeded token rate limit" in error.message
    assert [request.status for request in aoai_emulator.requests] == [200]


def test_the_sdk_is_told_when_to_come_back_by_a_header_of_the_200(openai_client: OpenAI) -> None:
    stream = streams.limited_in_stream(openai_client)
    assert stream.response.status_code == 200
    assert (stream.response.headers["retry-after"], stream.response.headers["retry-after-ms"]) == ("4", "4000")
    until_error(stream)


def test_verdicts_without_a_delta_arrive_between_the_chunks(ask: Ask) -> None:
    choices = [choice for chunk in ask(streams.haiku_judged_later) for choice in chunk.choices]
    verdicts = [choice for choice in choices if choice.delta is None]
    said = [choice.delta.content or "" for choice in choices if choice.delta]
    assert "".join(said) == streams.HAIKU
    assert len(verdicts) >= 4
    assert all(set(verdict.content_filter_results) for verdict in verdicts)
    assert {verdict.content_filter_offsets["check_offset"] for verdict in verdicts} == {44}
    finish = next(at for at, choice in enumerate(choices) if choice.finish_reason)
    assert any(choice.delta is None for choice in choices[:finish]), "while the answer is written"
    assert all(choice.delta is None for choice in choices[finish + 1 :]), "and after its end"


def test_such_chunks_pass_byte_for_byte(proxy_base_url: str, function_key: str, aoai_emulator: Emulator) -> None:
    body = {"messages": streams.user("A haiku about gulls, please."), "model": streams.MODEL, "stream": True}
    answer = httpx.post(f"{proxy_base_url}/chat/completions", headers={"x-functions-key": function_key}, json=body)
    (recorded,) = [
        interaction.response.body
        for interaction in aoai_emulator.stack.library.interactions()
        if interaction.label.startswith("chat/stream_judged_later")
    ]
    assert answer.content == recorded
