"""The Responses API and embeddings through the proxy with the OpenAI SDK, sync and async."""

import json
import math
from typing import Any

import pytest
from openai import OpenAI

from tests.e2e.scenarios import Ask, embeddings, responses
from tests.e2e.scenarios.chat import Event

SKY = "Air scatters blue light more than red, so blue reaches us from every side."
TEXT_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def kinds(events: list[Any]) -> list[str]:
    """The events' types, each once, in order of appearance."""
    return list(dict.fromkeys(event.type for event in events))


def deltas(events: list[Any], kind: str) -> str:
    return "".join(event.delta for event in events if event.type == f"{kind}.delta")


def test_a_response_has_its_text_and_usage(ask: Ask) -> None:
    answer = ask(responses.sky)
    assert (answer.status, answer.output_text) == ("completed", SKY)
    assert answer.instructions == "Answer in one sentence."
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


def test_a_stream_has_its_events_in_order(ask: Ask) -> None:
    events = ask(responses.sky_streamed)
    assert kinds(events) == TEXT_EVENTS
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert deltas(events, "response.output_text") == events[-1].response.output_text == SKY


def test_the_stream_helper_gives_the_final_response(openai_client: OpenAI) -> None:
    asked: Any = {"model": responses.MODEL, "instructions": "Answer in one sentence.", "input": "Why is the sky blue?"}
    with openai_client.responses.stream(**asked) as stream:
        assert stream.get_final_response().output_text == SKY


def test_a_function_is_called_and_its_output_understood(ask: Ask) -> None:
    asked = ask(responses.weather)
    (call,) = asked.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_temperature", {"city": "Oslo"})
    told = ask(lambda client: responses.weather_told(client, asked))
    assert told.output_text == "It is -3 °C in Oslo. Dress warmly!"
    assert told.previous_response_id == asked.id


def test_function_calls_stream_in_pieces(ask: Ask) -> None:
    events = ask(responses.two_cities_streamed)
    assert deltas(events, "response.function_call_arguments") == '{"city":"Oslo"}{"city":"Madrid"}'
    assert [json.loads(item.arguments)["city"] for item in events[-1].response.output] == ["Oslo", "Madrid"]


def test_a_response_is_parsed_into_a_model(ask: Ask) -> None:
    parsed = ask(responses.event).output_parsed
    assert parsed == Event(name="Science fair", date="Friday", participants=["Ada", "Grace"])


def test_a_reasoning_item_precedes_the_message(ask: Ask) -> None:
    answer = ask(responses.riddle)
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.output[0].summary[0].text.startswith("**Counting letters**")
    assert answer.usage.output_tokens_details.reasoning_tokens == 64


def test_a_reasoning_summary_streams_before_the_text(ask: Ask) -> None:
    events = ask(responses.riddle_streamed)
    summary = deltas(events, "response.reasoning_summary_text")
    assert summary == events[-1].response.output[0].summary[0].text
    order = kinds(events)
    assert order.index("response.reasoning_summary_text.delta") < order.index("response.output_text.delta")


def test_a_response_cut_by_max_output_tokens_is_incomplete(ask: Ask) -> None:
    answer = ask(responses.cut_short)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_a_stream_cut_by_max_output_tokens_ends_incomplete(ask: Ask) -> None:
    events = ask(responses.cut_short_streamed)
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output[0].status == "incomplete"


def test_vectors_in_base64_are_decoded_by_the_sdk(ask: Ask) -> None:
    answer = ask(embeddings.two_texts)
    assert [item.index for item in answer.data] == [0, 1]
    for item in answer.data:
        assert len(item.embedding) == embeddings.DIMENSIONS
        assert math.hypot(*item.embedding) == pytest.approx(1, abs=1e-6)


def test_vectors_in_floats_are_the_same_as_in_base64(ask: Ask) -> None:
    in_floats, in_base64 = ask(embeddings.floats).data[0], ask(embeddings.two_texts).data[0]
    assert in_floats.embedding == pytest.approx(in_base64.embedding, abs=1e-7)
