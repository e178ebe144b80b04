"""Chat completions through the proxy with the OpenAI SDK; `ask` runs every test with the sync and the async client."""

import json
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from emulator.emulation import Emulator
from tests.e2e.scenarios import Ask, chat

STORY = "Every night the old lighthouse counted the ships. One evening it counted one more, and smiled."


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def arguments_of(chunks: list[Any]) -> dict[int, str]:
    """The arguments of each tool call by its index, joined from the chunks."""
    told: dict[int, str] = {}
    for chunk in chunks:
        for call in (chunk.choices and chunk.choices[0].delta.tool_calls) or ():
            told[call.index] = told.get(call.index, "") + (call.function.arguments or "")
    return told


def test_a_question_is_answered_with_usage(ask: Ask) -> None:
    answer = ask(chat.question)
    assert answer.choices[0].message.content == "The capital of France is Paris."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o-mini-2024-07-18"
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


def test_the_request_id_reaches_the_client(ask: Ask, aoai_emulator: Emulator) -> None:
    answer = ask(chat.question)
    (interaction,) = [i for i in aoai_emulator.stack.library.interactions() if i.label == "chat/question #1"]
    assert answer._request_id == interaction.response.header("x-request-id")


def test_what_azure_adds_to_an_answer_reaches_the_client(ask: Ask) -> None:
    answer = ask(chat.question)
    assert answer.model_extra["prompt_filter_results"][0]["content_filter_results"]["jailbreak"]["detected"] is False
    assert answer.choices[0].model_extra["content_filter_results"]["hate"]["severity"] == "safe"


def test_a_stream_tells_the_story_in_many_chunks(ask: Ask) -> None:
    chunks = ask(chat.story)
    assert text_of(chunks) == STORY
    assert len(chunks) > 15
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_with_include_usage_ends_with_the_usage(ask: Ask) -> None:
    chunks = ask(chat.story_with_usage)
    assert text_of(chunks) == STORY
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 15
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_stream_helper_collects_the_same_story(openai_client: OpenAI) -> None:
    asked: Any = chat.user("Tell a story about a lighthouse in two sentences.")
    with openai_client.chat.completions.stream(model=chat.MODEL, messages=asked) as stream:
        assert [event.content for event in stream if event.type == "content.done"] == [STORY]
        assert stream.get_final_completion().choices[0].message.content == STORY


def test_a_conversation_is_answered(ask: Ask) -> None:
    assert "Ada" in ask(chat.conversation).choices[0].message.content


def test_a_tool_is_called_and_its_result_understood(ask: Ask) -> None:
    asked = ask(chat.weather)
    assert asked.choices[0].finish_reason == "tool_calls"
    assert asked.choices[0].message.content is None
    (call,) = asked.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_temperature", {"city": "Oslo"})
    told = ask(lambda client: chat.weather_told(client, asked))
    assert told.choices[0].message.content == "It is -3 °C in Oslo. Dress warmly!"


def test_two_tools_are_called_at_once(ask: Ask) -> None:
    calls = ask(chat.two_cities).choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Oslo", "Madrid"]
    assert len({call.id for call in calls}) == 2


def test_tool_calls_stream_in_pieces(ask: Ask) -> None:
    chunks = ask(chat.two_cities_streamed)
    told = arguments_of(chunks)
    assert {index: json.loads(text) for index, text in told.items()} == {0: {"city": "Oslo"}, 1: {"city": "Madrid"}}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_an_answer_is_parsed_into_a_model(ask: Ask) -> None:
    parsed = ask(chat.event).choices[0].message.parsed
    assert parsed == chat.Event(name="Science fair", date="Friday", participants=["Ada", "Grace"])


def test_an_answer_in_json_is_json(ask: Ask) -> None:
    assert json.loads(ask(chat.json_object).choices[0].message.content)["colours"] == ["red", "yellow", "blue"]


def test_a_picture_is_seen(ask: Ask) -> None:
    assert ask(chat.picture).choices[0].message.content == "Red."


def test_three_choices_come_back_in_order(ask: Ask) -> None:
    choices = ask(chat.three_names).choices
    assert [(choice.index, choice.message.content) for choice in choices] == [(0, "Pixel"), (1, "Miso"), (2, "Nimbus")]


def test_logprobs_reach_the_client(ask: Ask) -> None:
    first = ask(chat.likely_word).choices[0].logprobs.content[0]
    assert first.token == "Yes"
    assert first.bytes == list(b"Yes")
    assert first.logprob == max(other.logprob for other in first.top_logprobs) < 0
    assert len(first.top_logprobs) == 2


def test_logprobs_stream_with_their_tokens(ask: Ask) -> None:
    told = [
        c.choices[0].logprobs.content for c in ask(chat.likely_word_streamed) if c.choices and c.choices[0].logprobs
    ]
    assert [token.token for tokens in told for token in tokens] == ["Yes", "."]


def test_unicode_survives_both_ways(ask: Ask, aoai_emulator: Emulator) -> None:
    assert ask(chat.emoji).choices[0].message.content == "こんにちは、世界! Schöne Grüße 🎉👩🏽‍🔬"
    assert "Grüße auf 日本語, mit Emoji 🎉 — bitte!".encode() in aoai_emulator.requests[0].body


def test_reasoning_tokens_are_counted(ask: Ask) -> None:
    usage = ask(chat.riddle).usage
    assert usage.completion_tokens_details.reasoning_tokens == 64
    assert usage.completion_tokens > 64


def test_an_answer_cut_by_max_tokens_says_so(ask: Ask) -> None:
    assert ask(chat.cut_short).choices[0].finish_reason == "length"


def test_stream_false_is_the_same_as_no_stream(openai_client: OpenAI) -> None:
    asked: Any = chat.user("What is the capital of France?")
    answer = openai_client.chat.completions.create(model=chat.MODEL, messages=asked, stream=False)
    assert "Paris" in answer.choices[0].message.content


@pytest.mark.anyio
async def test_forty_callers_at_once_are_all_answered(async_openai_client: AsyncOpenAI) -> None:
    import asyncio

    answers = await asyncio.gather(*(chat.question(async_openai_client) for _ in range(40)))
    assert {answer.choices[0].message.content for answer in answers} == {"The capital of France is Paris."}
