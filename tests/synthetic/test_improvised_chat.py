"""Improvised chat completions do what the request says: its lengths, schemas, tools and streams."""

import json
from typing import Any

import pytest
from openai import OpenAI

from tests.synthetic.improvised import MODEL, QUESTION, REASONING, TOOLS, USER, City, answer

pytestmark = pytest.mark.aoai_improvise


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
