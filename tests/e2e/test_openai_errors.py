"""The OpenAI SDK raises the right error: class, status and code. The SDK words the message itself."""

import httpx
import pytest
from openai import APIStatusError, AuthenticationError, BadRequestError, NotFoundError, OpenAI, RateLimitError

from emulator.emulation import Emulator
from tests.e2e.scenarios import Ask, chat, errors


def test_the_content_filter_is_a_bad_request_that_says_why(ask: Ask) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(errors.filtered_chat)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (400, "content_filter", "prompt")
    assert isinstance(error.body, dict)
    assert error.body["innererror"]["content_filter_result"]["violence"] == {"filtered": True, "severity": "medium"}


def test_the_content_filter_stops_a_stream_before_it_starts(ask: Ask) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(errors.filtered_stream)
    assert caught.value.code == "content_filter"


def test_the_content_filter_stops_a_response(ask: Ask) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(errors.filtered_response)
    assert (caught.value.code, caught.value.type) == ("content_filter", "invalid_request_error")


def test_a_rate_limit_tells_when_to_come_back(ask: Ask) -> None:
    with pytest.raises(RateLimitError) as caught:
        ask(errors.busy)
    assert (caught.value.status_code, caught.value.code) == (429, "RateLimitReached")
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "50")


def test_the_sdk_retries_a_rate_limit_and_is_answered(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    answer = errors.busy(openai_client.with_options(max_retries=2))
    assert answer.choices[0].message.content == "Here I am."
    assert [request.status for request in aoai_emulator.requests] == [429, 200]
    assert [request.header("x-stainless-retry-count") for request in aoai_emulator.requests] == ["0", "1"]


def test_a_wrong_function_key_is_an_authentication_error(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    with pytest.raises(AuthenticationError) as caught:
        chat.question(openai_client.with_options(default_headers={"x-functions-key": "wrong"}))
    assert caught.value.status_code == 401
    assert aoai_emulator.requests == []


def test_a_model_that_is_not_served_is_not_found(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    with pytest.raises(NotFoundError) as caught:
        openai_client.chat.completions.create(model="gpt-3", messages=chat.user("Hello?"))
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert aoai_emulator.requests == []


@pytest.mark.aoai_allow_unmatched
def test_a_request_without_a_recording_is_tried_once(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    with pytest.raises(APIStatusError) as caught:
        openai_client.with_options(max_retries=2).chat.completions.create(
            model=chat.MODEL, messages=chat.user("Nobody recorded this.")
        )
    assert (caught.value.status_code, caught.value.code) == (424, "no_recorded_interaction")
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(aoai_emulator.requests) == 1


def test_the_models_are_listed_without_asking_azure(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    served = {model.id for model in openai_client.models.list()}
    assert served >= {"gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small"}
    assert openai_client.models.retrieve("gpt-5-mini").id == "gpt-5-mini"
    assert aoai_emulator.requests == []


def test_a_doubled_v1_is_explained(proxy_base_url: str, function_key: str) -> None:
    answer = httpx.post(f"{proxy_base_url}/v1/chat/completions", headers={"x-functions-key": function_key}, json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
