"""Stored responses with the OpenAI SDK: background jobs, resumed streams, pages of input, deletion."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI

from emulator.emulation import Emulator
from emulator.stack import LocalStack
from tests.e2e.scenarios import Ask, client_options, stored

DATED = "2025-04-01-preview"
TEXTS = [text for _, text in stored.TURNS]


def requests_of(emulator: Emulator) -> list[tuple[str, str]]:
    return [(request.method, request.target) for request in emulator.requests]


def texts(items: list[Any]) -> list[str]:
    return [item.content[0].text for item in items]


def test_a_job_is_polled_until_it_is_completed(ask: Ask, aoai_emulator: Emulator) -> None:
    jobs = [ask(stored.sieve)]
    while jobs[-1].status in ("queued", "in_progress"):
        jobs.append(ask(lambda client: stored.look(client, jobs[0].id)))
    assert [job.status for job in jobs] == ["queued", "in_progress", "completed"]
    assert [job.output_text for job in jobs] == ["", "", stored.ESSAY]
    assert {(job.id, job.created_at, job.background) for job in jobs} == {(jobs[0].id, jobs[0].created_at, True)}
    assert [job.usage is None for job in jobs] == [True, True, False]
    looked = ("GET", f"/openai/v1/responses/{jobs[0].id}")
    assert requests_of(aoai_emulator) == [("POST", "/openai/v1/responses"), looked, looked]


def test_a_completed_job_stays_completed(ask: Ask) -> None:
    job = ask(stored.sieve)
    states = [ask(lambda client: stored.look(client, job.id)) for _ in range(4)]
    assert [state.status for state in states] == ["in_progress", "completed", "completed", "completed"]


def test_a_job_is_cancelled_and_may_be_cancelled_again(ask: Ask, aoai_emulator: Emulator) -> None:
    job = ask(stored.novel)
    cancelled = [ask(lambda client: stored.cancel(client, job.id)) for _ in range(2)]
    looked = ask(lambda client: stored.look(client, job.id))
    assert [state.status for state in (job, *cancelled, looked)] == ["queued", *["cancelled"] * 3]
    assert {state.id for state in (*cancelled, looked)} == {job.id}
    assert requests_of(aoai_emulator)[1] == ("POST", f"/openai/v1/responses/{job.id}/cancel")
    assert aoai_emulator.requests[1].body == b""


def test_a_deleted_response_is_not_found_any_more(ask: Ask, aoai_emulator: Emulator) -> None:
    response_id = ask(stored.secret).id
    assert ask(lambda client: stored.look(client, response_id)).output_text == stored.KUMQUAT
    answer = json.loads(ask(lambda client: stored.delete(client, response_id)).content)
    assert answer == {"id": response_id, "object": "response.deleted", "deleted": True}
    with pytest.raises(NotFoundError):
        ask(lambda client: stored.look(client, response_id))
    assert [request.method for request in aoai_emulator.requests] == ["POST", "GET", "DELETE", "GET"]


def test_the_sdk_deletes_without_an_answer(ask: Ask) -> None:
    response_id = ask(stored.secret).id
    assert ask(lambda client: client.responses.delete(response_id)) is None


def test_an_unknown_id_is_not_found(ask: Ask) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(lambda client: stored.look(client, stored.UNKNOWN))
    error = caught.value
    assert (error.status_code, error.code, error.param) == (404, "response_not_found", "response_id")
    assert stored.UNKNOWN in str(error)


def test_the_input_is_listed_newest_first_or_as_it_was_asked(ask: Ask) -> None:
    response_id = ask(stored.conversation).id
    page = ask(lambda client: stored.input_items(client, response_id, limit=2))
    assert (texts(page.data), page.has_more) == (TEXTS[:0:-1], True)
    whole = ask(lambda client: stored.input_items(client, response_id, order="asc"))
    assert (texts(whole.data), whole.has_more) == (TEXTS, False)
    assert [item.role for item in whole.data] == [role for role, _ in stored.TURNS]


def test_the_input_is_paged(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    response_id = stored.conversation(openai_client).id
    items = list(stored.input_items(openai_client, response_id, limit=2))
    assert texts(items) == TEXTS[::-1]
    pages = [request.target.partition("?")[2] for request in aoai_emulator.requests[1:]]
    assert pages == ["limit=2", f"limit=2&after={items[1].id}"]


@pytest.mark.anyio
async def test_the_input_is_paged_asynchronously(async_openai_client: AsyncOpenAI) -> None:
    response_id = (await stored.conversation(async_openai_client)).id  # type: ignore[arg-type]
    items = [item async for item in stored.input_items(async_openai_client, response_id, limit=2)]  # type: ignore[arg-type]
    assert texts(items) == TEXTS[::-1]


def test_what_to_include_reaches_azure_as_it_was_written(ask: Ask, aoai_emulator: Emulator) -> None:
    asked = ask(stored.prime)
    assert asked.output[0].encrypted_content is None
    answer = ask(lambda client: stored.with_reasoning(client, asked.id))
    assert answer.output_text == asked.output_text == stored.FACTORS
    assert len(answer.output[0].encrypted_content) > 100
    assert aoai_emulator.requests[1].target == f"/openai/v1/responses/{asked.id}?include%5B%5D={stored.ENCRYPTED}"


def test_a_resumed_stream_goes_on_with_the_next_event(ask: Ask, aoai_emulator: Emulator) -> None:
    events = ask(stored.tides_streamed)
    response_id = events[0].response.id
    rest = ask(lambda client: stored.resume(client, response_id, stored.LAST_SEEN))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert rest[0].sequence_number == stored.LAST_SEEN + 1
    assert rest == events[stored.LAST_SEEN + 1 :]
    assert rest[-1].response.output_text == stored.TIDES
    query = f"starting_after={stored.LAST_SEEN}&stream=true"
    assert requests_of(aoai_emulator)[1] == ("GET", f"/openai/v1/responses/{response_id}?{query}")


def test_a_stream_that_broke_is_taken_up_again(openai_client: OpenAI) -> None:
    events = []
    with stored.tides_streamed(openai_client) as stream:
        for event in stream:
            events.append(event)
            if event.sequence_number == stored.LAST_SEEN:
                break
    events += stored.resume(openai_client, events[0].response.id, stored.LAST_SEEN)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text == stored.TIDES


def test_a_background_stream_is_queued_before_it_is_in_progress(ask: Ask) -> None:
    events = ask(stored.tides_streamed)[:3]
    assert [event.type for event in events] == ["response.created", "response.queued", "response.in_progress"]
    assert [event.response.status for event in events] == ["queued", "queued", "in_progress"]


@pytest.fixture(scope="module")
def dated_stack() -> Iterator[LocalStack]:
    with LocalStack(settings={"AZURE_OPENAI_API_VERSION": DATED}) as stack:
        yield stack


@pytest.fixture
def dated_client(dated_stack: LocalStack) -> Iterator[OpenAI]:
    dated_stack.azure.reset()
    with OpenAI(**client_options(dated_stack.base_url, dated_stack.function_key)) as client:
        yield client


def dated_requests(stack: LocalStack) -> list[tuple[str, str]]:
    return [(exchange.method, exchange.target) for exchange in stack.azure.journal.exchanges]


def test_on_a_dated_version_a_job_runs_on_the_dated_path(dated_stack: LocalStack, dated_client: OpenAI) -> None:
    job = stored.sieve(dated_client)
    states = [stored.look(dated_client, job.id) for _ in range(2)]
    assert [state.status for state in (job, *states)] == ["queued", "in_progress", "completed"]
    looked = ("GET", f"/openai/responses/{job.id}?api-version={DATED}")
    assert dated_requests(dated_stack) == [("POST", f"/openai/responses?api-version={DATED}"), looked, looked]


def test_on_a_dated_version_the_query_stays_before_the_api_version(
    dated_stack: LocalStack, dated_client: OpenAI
) -> None:
    response_id = stored.prime(dated_client).id
    stored.with_reasoning(dated_client, response_id)
    query = f"include%5B%5D={stored.ENCRYPTED}&api-version={DATED}"
    assert dated_requests(dated_stack)[1] == ("GET", f"/openai/responses/{response_id}?{query}")


def test_on_a_dated_version_cancel_delete_and_input_are_on_the_dated_path(
    dated_stack: LocalStack, dated_client: OpenAI
) -> None:
    novel, secret, asked = (ask(dated_client).id for ask in (stored.novel, stored.secret, stored.conversation))
    stored.cancel(dated_client, novel)
    stored.delete(dated_client, secret)
    stored.input_items(dated_client, asked, order="asc")
    assert dated_requests(dated_stack)[3:] == [
        ("POST", f"/openai/responses/{novel}/cancel?api-version={DATED}"),
        ("DELETE", f"/openai/responses/{secret}?api-version={DATED}"),
        ("GET", f"/openai/responses/{asked}/input_items?order=asc&api-version={DATED}"),
    ]
