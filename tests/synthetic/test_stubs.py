"""Stubs answer real SDKs, on the session's stack."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from emulator.emulation import Emulator
from tests.e2e.scenarios.chat import user
from tests.golden import assert_golden
from tests.synthetic.stubbed import (
    EMBEDDING,
    FUNCTIONS,
    MODEL,
    REASONING,
    RESPONSES_TOOLS,
    TOOLS,
    WEATHER,
    Weather,
    chat,
    respond,
    words,
)


def test_the_answer_stands_in_the_test(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    stub = aoai_emulator.on(contains="weather", model=MODEL).answers("It rains.")
    raw = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=WEATHER, temperature=0.2)
    completion = raw.parse()
    assert completion.choices[0].message.content == "It rains."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "gpt-4o-mini-2024-07-18"
    assert raw.headers["x-emulator-origin"] == "stub"
    assert stub.requests == aoai_emulator.requests
    assert stub.requests[0].json["temperature"] == 0.2
    aoai_emulator.assert_transparent(raw.http_response)


@pytest.mark.anyio
async def test_it_streams_to_an_async_client(async_openai_client: AsyncOpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains in Oslo, and it will go on raining.")
    stream = await async_openai_client.chat.completions.create(
        model=MODEL, messages=WEATHER, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == "It rains in Oslo, and it will go on raining."
    assert len(said) > 5
    assert chunks[-1].usage is not None


def test_several_texts_are_the_choices(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains.", "It snows.")
    aoai_emulator.on(contains="weather").answers("It hails.")
    texts = [choice.message.content for choice in chat(openai_client, n=2).choices]
    assert texts == ["It rains.", "It snows."]
    assert [choice.message.content for choice in chat(openai_client, n=3).choices] == ["It hails."] * 3


def test_json_fits_the_schema_that_was_asked_for(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="chat").answers(json={"degrees": 12})
    aoai_emulator.on(route="responses").answers(json={"degrees": -3})
    parsed = openai_client.chat.completions.parse(model=MODEL, messages=WEATHER, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(degrees=12)
    told = openai_client.responses.parse(model=MODEL, input="How is the weather?", text_format=Weather)
    assert told.output_parsed == Weather(degrees=-3)


def test_an_answer_can_be_cut(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="chat").answers("It", cut=True)
    aoai_emulator.on(route="responses").answers("It", cut=True)
    assert chat(openai_client).choices[0].finish_reason == "length"
    assert respond(openai_client).incomplete_details.reason == "max_output_tokens"


def test_an_agent_calls_and_then_answers(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    """Both requests contain the text. A stub answers once, so the second stub answers the second request."""
    asked = aoai_emulator.on(contains="weather").calls("get_temperature", city="Oslo").calls("get_wind", city="Oslo")
    told = aoai_emulator.on(tool_result="12").answers("It has 12 degrees.")
    choice = chat(openai_client, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls] == [
        ("get_temperature", {"city": "Oslo"}),
        ("get_wind", {"city": "Oslo"}),
    ]
    called = {"role": "assistant", "tool_calls": [call.to_dict() for call in choice.message.tool_calls]}
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12"} for call in choice.message.tool_calls]
    assert words(openai_client, messages=[*WEATHER, called, *results], tools=TOOLS) == "It has 12 degrees."
    assert (len(asked.requests), len(told.requests)) == (1, 1)


def test_an_agent_of_responses_streams_its_calls(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="responses").calls("get_temperature", city="Oslo").calls("get_wind", city="Oslo")
    aoai_emulator.on(tool_result=True).thinks(64, "Looked outside.").answers("12 degrees.")
    with openai_client.responses.stream(model=MODEL, input="Weather?", tools=RESPONSES_TOOLS) as stream:
        answer = stream.get_final_response()
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [(call.name, call.arguments) for call in calls] == [
        ("get_temperature", '{"city":"Oslo"}'),
        ("get_wind", '{"city":"Oslo"}'),
    ]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": "12"} for call in calls]
    last = respond(openai_client, model=REASONING, input=results, previous_response_id=answer.id)
    assert last.output_text == "12 degrees."
    assert last.output[0].summary[0].text == "Looked outside."
    assert last.usage.output_tokens_details.reasoning_tokens == 64


def test_functions_of_the_older_form_are_called(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on().calls("get_wind", {"city": "Oslo", "in-knots": True})
    answer = openai_client.chat.completions.create(model=MODEL, messages=WEATHER, functions=FUNCTIONS)  # type: ignore[call-overload]
    assert "get_wind" in str(answer.choices[0].message)


def test_vectors_are_made_or_given(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="cat", times=2).embeds()
    aoai_emulator.on(contains="dog").embeds([0.5, -2])
    aoai_emulator.on(route="embeddings").embeds([1, 0], [0, 1])

    def vectors(*texts: str, **more: Any) -> list[list[float]]:
        given = openai_client.embeddings.create(model=EMBEDDING, input=list(texts), **more)
        return [item.embedding for item in given.data]

    made = vectors("a cat", "a cat")
    assert made[0] == made[1]
    assert sum(number * number for number in made[0]) == pytest.approx(1)
    assert len(vectors("a cat", dimensions=256)[0]) == 256
    assert vectors("a dog", "a dog") == [[0.5, -2.0]] * 2
    assert vectors("one", "two", encoding_format="float") == [[1.0, 0.0], [0.0, 1.0]]


def test_dspy_gets_its_field(dspy_lm: Any, aoai_emulator: Emulator) -> None:
    dspy = pytest.importorskip("dspy")
    stub = aoai_emulator.on(contains="capital of Norway").answers("[[ ## answer ## ]]\nOslo\n\n[[ ## completed ## ]]")
    assert dspy.Predict("question -> answer")(question="What is the capital of Norway?").answer == "Oslo"
    assert stub.requests[0].json["messages"][0]["role"] == "system"


def test_the_same_request_and_stub_give_the_same_bytes(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather", times=2).answers("It rains.")
    aoai_emulator.on(contains="weather").answers("It snows.")
    ids = [[chunk.id for chunk in chat(openai_client, stream=True)][-1] for _ in range(3)]
    one, two, _ = aoai_emulator.requests
    assert (one.sent, one.sent_headers) == (two.sent, two.sent_headers)
    assert ids[1] != ids[2], "another answer has another id"


# At the end of the test


def test_an_unused_stub_is_told_with_what_was_asked_instead(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    assert aoai_emulator.stubs.unused([]) == ""
    aoai_emulator.on(contains="snow").answers("It snows.")
    aoai_emulator.on(contains="weather", times=3).calls("get_wind", {"in-city": "Oslo"}).fails("rate_limited; times=1")
    aoai_emulator.on(contains="weather", times=None, optional=True).answers("Perhaps.")
    aoai_emulator.on(path={"seed": 7}, times=None).answers(json={"degrees": 12})
    nothing = aoai_emulator.stubs.unused([])
    with pytest.raises(openai.RateLimitError):
        chat(openai_client, tools=TOOLS)
    chat(openai_client, messages=user("What is the capital of France?"))
    for _ in range(2):
        chat(openai_client)
    told = aoai_emulator.stubs.unused(aoai_emulator.requests)
    assert_golden("stubs/unused.txt", f"{nothing}\n\n{told}\n")
    aoai_emulator.stubs.declared.clear()


def test_stubs_end_with_their_test(aoai_emulator: Emulator) -> None:
    assert aoai_emulator.azure.before == [aoai_emulator.stubs]
    assert aoai_emulator.stubs.declared == []
