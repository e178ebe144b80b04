"""Improvised answers reach a client through the whole chain: only where wanted, marked, valid, and kept nowhere."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from emulator.azure import FakeAzure
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.synthetic.improvising import Improviser, Pace
from tests.synthetic.improvised import FLAT, MODEL, QUESTION, REASONING, TOOLS, USER, answer, asked, told, wrong

pytestmark = pytest.mark.aoai_improvise


# --- asked for, and marked --------------------------------------------------------------------------------------------


def improvises(emulator: Emulator) -> bool:
    return any(isinstance(one, Improviser) for one in emulator.azure.after)


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
    assert improvises(aoai_emulator)
    before = aoai_emulator.azure.deployments
    aoai_emulator.end()
    assert not improvises(aoai_emulator)
    assert aoai_emulator.azure.deployments > before


def test_nothing_is_improvised_while_a_live_service_is_recorded(aoai_emulator: Emulator) -> None:
    class Recording(FakeAzure):
        records = True

    aoai_emulator.end()
    aoai_emulator.azure = Recording(Library())
    aoai_emulator.improvise()
    assert not improvises(aoai_emulator)


def test_an_operation_that_is_not_improvised_is_a_miss() -> None:
    with pytest.raises(AssertionError, match="nothing is improvised"):
        asked("files", {"purpose": "batch"})


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
        ({"model": MODEL, "messages": [{"role": "user", "content": "\ud800"}]}, "could not parse the JSON body"),
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
    refused = httpx.post(f"{proxy_base_url}/chat/completions", content=json.dumps(body), headers=headers)
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
    yield "responses/compact", {"model": MODEL, "input": QUESTION}
    yield "responses/input_tokens", {"model": MODEL, "input": QUESTION}
    yield "embeddings", {"model": "text-embedding-3-small", "input": QUESTION}


def test_check_finds_nothing_wrong_beside_real_recordings_and_azures_descriptions() -> None:
    assert wrong([asked(*request) for request in every_kind()], thoroughly=True) == []
