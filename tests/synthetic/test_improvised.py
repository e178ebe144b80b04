"""Improvised answers reach a client through the whole chain: only where wanted, marked, valid, and kept nowhere."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from emulator.azure import FakeAzure
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.synthetic.improvising import Improviser, Pace
from tests.synthetic.improvised import answer, asked, told, wrong

pytestmark = pytest.mark.aoai_improvise

MODEL, REASONING = "gpt-4o-mini", "gpt-5-mini"
QUESTION = "What did nobody ever record, on 28 November?"
USER: Any = [{"role": "user", "content": QUESTION}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name in ("get_temperature", "get_wind")
]
FLAT: Any = [{"type": "function", **tool["function"], "strict": False} for tool in TOOLS]


class City(BaseModel):
    name: str
    districts: list[str]
    coastal: bool


# --- asked for, and marked --------------------------------------------------------------------------------------------


def test_an_answer_says_that_it_is_improvised(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    got = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=USER)
    assert got.http_response.headers["x-emulator-origin"] == "improvised"
    (exchange,) = aoai_emulator.requests
    assert (exchange.origin, exchange.recording, exchange.miss) == ("improvised", None, None)
    assert aoai_emulator.improvised == [exchange]
    assert aoai_emulator.unmatched == []
    aoai_emulator.assert_transparent(got.http_response)
    with pytest.raises(AssertionError, match="not recorded: POST /openai/v1/chat/completions"):
        aoai_emulator.assert_recorded()


def test_a_recording_comes_first(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    messages: Any = [{"role": "user", "content": "What is the capital of France?"}]
    got = openai_client.chat.completions.create(model=MODEL, messages=messages)
    assert got.choices[0].message.content == "The capital of France is Paris."
    aoai_emulator.assert_recorded()


def test_improvising_ends_with_the_test(aoai_emulator: Emulator) -> None:
    assert len(aoai_emulator.azure.after) == 1
    before = aoai_emulator.azure.deployments
    aoai_emulator.end()
    assert aoai_emulator.azure.after == []
    assert aoai_emulator.azure.deployments > before


def test_nothing_is_improvised_while_a_live_service_is_recorded(aoai_emulator: Emulator) -> None:
    class Recording(FakeAzure):
        records = True

    aoai_emulator.end()
    aoai_emulator.azure = Recording(Library())
    aoai_emulator.improvise()
    assert aoai_emulator.azure.after == []


def test_an_operation_that_is_not_improvised_is_a_miss() -> None:
    with pytest.raises(AssertionError, match="nothing is improvised"):
        asked("audio/speech", {"model": "tts"})


# --- chat -------------------------------------------------------------------------------------------------------------


def test_text_quotes_what_was_asked(openai_client: OpenAI) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER)
    assert QUESTION in str(got.choices[0].message.content)
    assert got.choices[0].finish_reason == "stop"


def test_a_stream_says_what_the_whole_would(openai_client: OpenAI) -> None:
    options: Any = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(openai_client.chat.completions.create(model=MODEL, messages=USER, **options))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert QUESTION in text
    assert chunks[-1].usage.completion_tokens > 10


@pytest.mark.parametrize("limit", [1, 5, 20])
def test_the_token_limit_cuts(openai_client: OpenAI, limit: int) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, max_tokens=limit, n=2)
    assert [choice.finish_reason for choice in got.choices] == ["length", "length"]
    assert got.usage is not None
    assert got.usage.completion_tokens == 2 * limit


def test_the_prompt_can_ask_for_a_length() -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Tell me about the sea in about 300 words."}]}
    assert 250 < answer("chat/completions", body)["usage"]["completion_tokens"] < 320


def test_stop_ends_the_text(openai_client: OpenAI) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, stop=["nobody"])
    assert str(got.choices[0].message.content).endswith("What did ")
    assert got.choices[0].finish_reason == "stop"


def test_choices_differ(openai_client: OpenAI) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, n=3)
    assert len({choice.message.content for choice in got.choices}) == 3


def test_log_probabilities_spell_the_text(openai_client: OpenAI) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, logprobs=True, top_logprobs=20)
    (choice,) = got.choices
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    assert {len(token.top_logprobs) for token in choice.logprobs.content} == {20}


def test_a_schema_is_parsed_by_the_sdk(openai_client: OpenAI) -> None:
    got = openai_client.chat.completions.parse(model=MODEL, messages=USER, response_format=City)
    assert isinstance(got.choices[0].message.parsed, City)


def test_json_object_is_json(openai_client: OpenAI) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, response_format={"type": "json_object"})
    assert QUESTION in json.loads(str(got.choices[0].message.content))["answer"]


@pytest.mark.parametrize(
    ("options", "called"),
    [
        ({}, ["get_temperature", "get_wind"]),
        ({"parallel_tool_calls": False}, ["get_temperature"]),
        ({"tool_choice": "none"}, []),
        ({"tool_choice": "required"}, ["get_temperature"]),
        ({"tool_choice": {"type": "function", "function": {"name": "get_wind"}}}, ["get_wind"]),
    ],
)
def test_tools_are_called_as_the_request_says(openai_client: OpenAI, options: Any, called: list[str]) -> None:
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, tools=TOOLS, **options)
    calls: Any = got.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == called
    assert all(isinstance(json.loads(call.function.arguments)["city"], str) for call in calls)
    assert got.choices[0].finish_reason == ("tool_calls" if called else "stop")


@pytest.mark.parametrize("stream", [False, True])
def test_each_tool_is_called_once_in_a_conversation(openai_client: OpenAI, stream: bool) -> None:
    messages, called = [*USER], list[str]()
    for _ in range(3):
        options: Any = {"model": MODEL, "messages": messages, "tools": TOOLS, "parallel_tool_calls": False}
        if stream:
            with openai_client.chat.completions.stream(**options) as streamed:
                message: Any = streamed.get_final_completion().choices[0].message
        else:
            message = openai_client.chat.completions.create(**options).choices[0].message
        messages.append(message.to_dict())
        for call in message.tool_calls or ():
            called.append(call.function.name)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "12"})
    assert called == ["get_temperature", "get_wind"]
    assert QUESTION in messages[-1]["content"]


def test_functions_in_their_older_form_are_called_once(openai_client: OpenAI) -> None:
    functions: Any = [tool["function"] for tool in TOOLS[:1]]
    got = openai_client.chat.completions.create(model=MODEL, messages=USER, functions=functions)
    message = got.choices[0].message
    assert got.choices[0].finish_reason == "function_call"
    assert message.function_call is not None
    assert message.function_call.name == "get_temperature"
    told: Any = [*USER, message.to_dict(), {"role": "function", "name": "get_temperature", "content": "12"}]
    again = openai_client.chat.completions.create(model=MODEL, messages=told, functions=functions)
    assert again.choices[0].message.content
    streamed = openai_client.chat.completions.create(model=MODEL, messages=USER, functions=functions, stream=True)
    calls = [chunk.choices[0].delta.function_call for chunk in streamed if chunk.choices]
    assert json.loads("".join(call.arguments or "" for call in calls if call))["city"]


def test_pictures_and_files_are_taken(openai_client: OpenAI) -> None:
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    got = openai_client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])
    assert "What is this? (image_url) (file)" in str(got.choices[0].message.content)


def test_a_reasoning_model_counts_what_it_thought(openai_client: OpenAI) -> None:
    got: Any = openai_client.chat.completions.create(model=REASONING, messages=USER, reasoning_effort="low")
    assert got.usage.completion_tokens_details.reasoning_tokens == 64


def test_a_reasoning_model_may_think_until_nothing_is_left(openai_client: OpenAI) -> None:
    got: Any = openai_client.chat.completions.create(model=REASONING, messages=USER, max_completion_tokens=50)
    assert (got.choices[0].finish_reason, got.choices[0].message.content) == ("length", "")
    assert got.usage.completion_tokens == got.usage.completion_tokens_details.reasoning_tokens == 50


# --- Responses --------------------------------------------------------------------------------------------------------


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


# --- embeddings, models, refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_have_the_size_that_was_asked_for(openai_client: OpenAI, encoding: Any) -> None:
    got = openai_client.embeddings.create(
        model="text-embedding-3-small", input=["a harbour", "a storm"], dimensions=64, encoding_format=encoding
    )
    assert len(got.data) == 2
    assert encoding == "base64" or [len(entry.embedding) for entry in got.data] == [64, 64]


def test_models_are_listed() -> None:
    improviser = Improviser(models=["gpt-4o"])
    assert [model["id"] for model in answer("models", None, "GET", improviser)["data"]] == ["gpt-4o"]
    assert answer("models/gpt-4o", None, "GET", improviser)["id"] == "gpt-4o"
    assert answer("models/gpt-9", None, "GET", improviser)["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"model": MODEL}, "Missing required parameter: 'messages'."),
        ({"model": MODEL, "messages": "hello"}, "expected an array, but got a string"),
        ({"model": MODEL, "messages": [{"content": "hello"}]}, "'messages[0].role'"),
        ({"model": MODEL, "messages": USER, "n": 0}, "Expected a value >= 1, but got 0"),
        ({"model": MODEL, "messages": USER, "tools": [{"function": 1}]}, "'tools[0].function': expected an object"),
        ({"model": "text-embedding-3-small", "messages": USER}, "does not work with the specified model"),
        ({"model": REASONING, "messages": USER, "max_tokens": 9}, "Use 'max_completion_tokens' instead."),
        (
            {
                "model": MODEL,
                "messages": USER,
                "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object", "enum": []}}},
            },
            "Invalid schema",
        ),
    ],
)
def test_a_wrong_request_is_refused_in_azures_words(
    function_key: str, proxy_base_url: str, body: Any, says: str
) -> None:
    headers = {"x-functions-key": function_key}
    refused = httpx.post(f"{proxy_base_url}/chat/completions", json=body, headers=headers)
    assert refused.status_code == 400
    assert says in refused.json()["error"]["message"]


# --- faults, limits, time ---------------------------------------------------------------------------------------------


@pytest.mark.aoai_fault("reset; at_frame=3")
def test_a_fault_hits_an_improvised_answer(openai_client: OpenAI) -> None:
    with pytest.raises((openai.APIError, httpx.HTTPError)):
        list(openai_client.chat.completions.create(model=MODEL, messages=USER, stream=True))


def test_a_rate_limit_counts_improvised_answers(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.limit(requests=1)
    openai_client.chat.completions.create(model=MODEL, messages=USER)
    with pytest.raises(openai.RateLimitError):
        openai_client.chat.completions.create(model=MODEL, messages=USER)


def test_a_stream_has_the_pace_that_was_asked_for() -> None:
    body = {"model": MODEL, "messages": USER, "stream": True}
    improviser = Improviser(Pace(first_token_ms=100, tokens_per_second=50))
    at = asked("chat/completions", body, improviser=improviser).response.frame_at_ms
    assert at[:3] == (100, 120, 140)
    assert len(at) == len(told(asked("chat/completions", body).response)) + 1  # [DONE]


# --- beside what is real ----------------------------------------------------------------------------------------------


def every_kind() -> Iterator[tuple[str, dict[str, Any]]]:
    for stream in (False, True):
        for model in (MODEL, REASONING):
            for options in ({}, {"tools": TOOLS}, {"response_format": {"type": "json_object"}}, {"n": 2}):
                yield "chat/completions", {"model": model, "messages": USER, "stream": stream, **options}
            for options in ({}, {"tools": FLAT}, {"reasoning": {"summary": "auto"}}, {"max_output_tokens": 16}):
                yield "responses", {"model": model, "input": QUESTION, "stream": stream, **options}
    yield "embeddings", {"model": "text-embedding-3-small", "input": QUESTION}


def test_check_finds_nothing_wrong_beside_real_recordings_and_azures_descriptions() -> None:
    assert wrong([asked(*request) for request in every_kind()], thoroughly=True) == []
