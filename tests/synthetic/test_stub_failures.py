"""A stub fails as Azure does, or breaks its own answer."""

import openai
import pytest
from openai import OpenAI

from emulator.emulation import Emulator
from tests.e2e.scenarios.chat import user
from tests.synthetic.stubbed import EMBEDDING, chat, words


def test_it_fails_as_azure_does(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="boom").fails("rate_limited; times=2")
    aoai_emulator.on(contains="boom").answers("All is well.")
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as limited:
            chat(openai_client, messages=user("boom"))
    assert "exceeded" in str(limited.value)
    assert limited.value.response.headers["retry-after"]
    assert words(openai_client, messages=user("boom")) == "All is well."
    assert aoai_emulator.requests[0].fault == "rate_limited; times=2"


def test_an_error_has_the_bytes_of_a_fault_of_the_whole_test(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    answers = []
    for declare in (lambda wish: aoai_emulator.on().fails(wish), aoai_emulator.fault):
        for wish in ("rate_limited; retry=ms", "deployment_not_found"):
            declare(wish)
            with pytest.raises(openai.APIStatusError) as failed:
                chat(openai_client)
            headers = {**failed.value.response.headers, "x-emulator-origin": "", "date": "", "server-timing": ""}
            answers.append((failed.value.status_code, headers, failed.value.response.content))
            aoai_emulator.azure.fault = None
    assert answers[:2] == answers[2:]


def test_it_fails_first_and_then_answers(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains.").fails("rate_limited; times=2")
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            chat(openai_client)
    assert words(openai_client) == "It rains."


def test_a_stream_breaks_where_the_stub_says(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains, and it rains.").fails("reset; at_frame=4")
    stream, received = chat(openai_client, stream=True), list[str]()
    with pytest.raises(openai.APIError, match="broke off the stream"):
        received.extend(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert "".join(received) == "It rains"
    assert len(aoai_emulator.requests[0].sent) == 4


def test_a_broken_answer_promises_the_length_that_it_would_have(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="embeddings").embeds([1.0, 0.0]).fails("close; at_byte=10")
    with pytest.raises(openai.APIError):
        openai_client.embeddings.create(model=EMBEDDING, input="a cat")
    (exchange,) = aoai_emulator.requests
    assert len(b"".join(exchange.sent)) == 10
    assert 100 < int(dict(exchange.sent_headers)["content-length"]) < 500


@pytest.mark.parametrize("wish", ["reset", "wrong_content_type"])
def test_a_fault_that_needs_no_answer_happens_without_one(
    wish: str, openai_client: OpenAI, aoai_emulator: Emulator
) -> None:
    aoai_emulator.on(contains="weather").fails(wish)
    with pytest.raises(openai.APIStatusError):
        chat(openai_client)
    assert aoai_emulator.requests[0].fault == wish
