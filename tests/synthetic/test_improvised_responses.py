"""Improvised responses continue, are kept, run in the background and resume."""

import re
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.synthetic.improvised import FLAT, MODEL, QUESTION, REASONING, City, answer, asked

pytestmark = pytest.mark.aoai_improvise


@pytest.mark.parametrize("model", [MODEL, REASONING])
def test_a_response_and_its_stream_say_what_was_asked(openai_client: OpenAI, model: str) -> None:
    whole: Any = openai_client.responses.create(model=model, input=QUESTION, reasoning={"summary": "auto"})
    assert QUESTION in whole.output_text
    assert [item.type for item in whole.output] == ["reasoning"] * (model == REASONING) + ["message"]
    with openai_client.responses.stream(model=model, input=QUESTION) as stream:
        assert QUESTION in stream.get_final_response().output_text


def test_a_conversation_goes_on_by_its_last_response(openai_client: OpenAI) -> None:
    first: Any = openai_client.responses.create(model=MODEL, input=QUESTION, tools=FLAT)
    assert [item.name for item in first.output] == ["get_temperature", "get_wind"]
    outputs: Any = [{"type": "function_call_output", "call_id": item.call_id, "output": "12"} for item in first.output]
    second = openai_client.responses.create(model=MODEL, input=outputs, tools=FLAT, previous_response_id=first.id)
    assert QUESTION in second.output_text
    with pytest.raises(openai.BadRequestError, match="previous_response_not_found"):
        openai_client.responses.create(model=MODEL, input="On?", previous_response_id="resp_unknown")


def test_a_response_is_kept_until_it_is_deleted(openai_client: OpenAI) -> None:
    made = openai_client.responses.create(model=MODEL, input=QUESTION)
    assert openai_client.responses.retrieve(made.id).output_text == made.output_text
    items: Any = list(openai_client.responses.input_items.list(made.id))
    assert [item.content[0].text for item in items] == [QUESTION]
    openai_client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        openai_client.responses.retrieve(made.id)


def test_input_items_come_in_pages(openai_client: OpenAI) -> None:
    turns: Any = [{"role": "user", "content": f"Turn {number}"} for number in range(5)]
    made = openai_client.responses.create(model=MODEL, input=turns)
    items: Any = list(openai_client.responses.input_items.list(made.id, limit=2, order="asc"))
    assert [item.content[0].text for item in items] == [f"Turn {number}" for number in range(5)]
    with pytest.raises(openai.BadRequestError, match="after"):
        openai_client.responses.input_items.list(made.id, after="msg_unknown")


def test_what_is_not_stored_is_not_kept(openai_client: OpenAI) -> None:
    made = openai_client.responses.create(model=MODEL, input=QUESTION, store=False)
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(made.id)


def test_a_job_in_the_background_becomes_completed(openai_client: OpenAI) -> None:
    job = openai_client.responses.create(model=REASONING, input=QUESTION, background=True)
    seen = [job.status, *(openai_client.responses.retrieve(job.id).status for _ in range(3))]
    assert seen == ["queued", "in_progress", "completed", "completed"]
    assert QUESTION in openai_client.responses.retrieve(job.id).output_text
    assert openai_client.responses.cancel(job.id).status == "completed"


def test_a_job_can_be_cancelled_and_nothing_else(openai_client: OpenAI) -> None:
    job = openai_client.responses.create(model=REASONING, input=f"{QUESTION} At length.", background=True)
    assert [openai_client.responses.cancel(job.id).status for _ in range(2)] == ["cancelled"] * 2
    assert openai_client.responses.retrieve(job.id).status == "cancelled"
    made = openai_client.responses.create(model=MODEL, input=QUESTION)
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        openai_client.responses.cancel(made.id)


def test_the_stream_of_a_job_is_resumed_where_it_broke(openai_client: OpenAI) -> None:
    events: Any = list(openai_client.responses.create(model=REASONING, input=QUESTION, background=True, stream=True))
    rest = list(openai_client.responses.retrieve(events[0].response.id, stream=True, starting_after=9))
    assert [event.to_dict() for event in rest] == [event.to_dict() for event in events[10:]]


def test_tools_of_azures_own_are_taken(openai_client: OpenAI) -> None:
    own: Any = [{"type": "web_search_preview"}, {"type": "code_interpreter", "container": {"type": "auto"}}]
    assert openai_client.responses.create(model=MODEL, input=QUESTION, tools=own).output_text


def test_a_schema_of_responses_is_parsed_by_the_sdk(openai_client: OpenAI) -> None:
    got = openai_client.responses.parse(model=MODEL, input=QUESTION, text_format=City)
    assert isinstance(got.output_parsed, City)


def test_a_conversation_is_counted_as_the_answer_counts_it(openai_client: OpenAI) -> None:
    asked: Any = {"model": MODEL, "input": [{"role": "user", "content": QUESTION}], "tools": FLAT}
    counted = openai_client.responses.input_tokens.count(**asked)
    made = openai_client.responses.create(**asked)
    assert made.usage
    assert counted.input_tokens == made.usage.input_tokens
    with pytest.raises(openai.BadRequestError, match="previous_response_not_found"):
        openai_client.responses.input_tokens.count(**asked, previous_response_id="resp_unknown")


def test_a_conversation_made_short_goes_on_and_calls_nothing_twice(openai_client: OpenAI) -> None:
    first: Any = openai_client.responses.create(model=MODEL, input=QUESTION, tools=FLAT)
    outputs: Any = [{"type": "function_call_output", "call_id": item.call_id, "output": "12"} for item in first.output]
    compact = openai_client.responses.with_raw_response.compact
    short = compact(model=MODEL, input=outputs, previous_response_id=first.id)
    assert [item.type for item in short.parse().output] == ["message", "compaction"]
    kept: Any = short.http_response.json()["output"]
    assert (kept[0]["role"], kept[0]["content"]) == ("user", [{"type": "input_text", "text": QUESTION}])
    second: Any = openai_client.responses.create(model=MODEL, input=kept, tools=FLAT)
    assert [item.type for item in second.output] == ["message"]
    assert QUESTION in second.output_text
    again = compact(model=MODEL, input=kept).http_response.json()["output"]
    assert [item["type"] for item in again] == ["message", "compaction"]
    assert again[1]["encrypted_content"] == kept[1]["encrypted_content"]


@pytest.mark.parametrize("content", [None, 5, "", "gAAAAA", "gAAAAA==", "gAAAAAbnVsbA==", "ünï", "gAAAAAWzEsImYiXQ=="])
def test_a_compaction_of_somebody_else_is_taken(content: Any) -> None:
    items = [{"role": "user", "content": QUESTION}, {"type": "compaction", "encrypted_content": content}]
    assert (
        answer("responses", {"model": MODEL, "input": items, "tools": FLAT})["output"][0]["name"] == "get_temperature"
    )


def test_only_what_is_posted_is_counted_or_made_short() -> None:
    for name in ("compact", "input_tokens"):
        assert answer(f"responses/{name}", None, "GET")["error"]["code"] == "response_not_found"
        assert "'input[0].role'" in answer(f"responses/{name}", {"input": [{"content": "x"}]})["error"]["message"]


@pytest.mark.parametrize("number", [1e-5, -1e-4, 0.7, 1e15, 1e16, -1e22, 2**63, 2**70])
@pytest.mark.parametrize("stream", [False, True])
def test_a_number_comes_back_in_the_digits_that_azure_writes(number: float, stream: bool) -> None:
    body = {"model": MODEL, "input": QUESTION, "metadata": {"number": number}, "stream": stream}
    sent = asked("responses", body).response.body.decode().replace('": ', '":')
    assert re.findall(r'"number":([^\s}]+)', sent) == [repr(number)] * (3 if stream else 1)
