"""An improvised answer that is asked for again comes from memory, and nobody can tell: bytes, stored responses."""

import json
from typing import Any

import openai
import pytest
from openai import OpenAI

from emulator.azure.answerer import Made
from emulator.azure.asgi import Fields
from emulator.azure.journal import Exchange
from emulator.azure.question import question_of
from emulator.emulation import Emulator
from emulator.synthetic.improvising import Improviser, Pace, memory
from tests.synthetic.improvised import FLAT, MODEL, QUESTION, REASONING, USER, answer

PATH = "/openai/v1/responses"
PLAIN: dict[str, Any] = {"model": MODEL, "input": QUESTION}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORMS = {
    "plain": PLAIN,
    "streamed": PLAIN | {"stream": True},
    "a schema": PLAIN | {"text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA}}},
    "tools": PLAIN | {"tools": FLAT},
    "tools, streamed": PLAIN | {"tools": FLAT, "stream": True},
    "not stored": PLAIN | {"store": False},
    "refused": PLAIN | {"top_logprobs": 21},
}


def made(improviser: Improviser, body: dict[str, Any], path: str = PATH) -> Made:
    sent = json.dumps(body).encode()
    answered = improviser(Exchange("POST", path, Fields(), sent), question_of("POST", path, sent))
    assert answered
    return answered


# --- what is remembered -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_a_repeated_response_is_remembered_with_the_bytes_of_a_new_one(body: dict[str, Any]) -> None:
    improviser = Improviser()
    first = made(improviser, body)
    assert made(improviser, body) is first
    assert made(Improviser(), body).response == first.response


def test_memory_forgets_the_oldest_and_never_keeps_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 2)
    improviser = Improviser()
    bodies = [PLAIN | {"input": f"{QUESTION} {number}"} for number in range(3)]
    before = [made(improviser, body) for body in bodies]
    assert [made(improviser, bodies[number]) is before[number] for number in (1, 2, 0)] == [True, True, False]
    long = PLAIN | {"input": "word " * memory.LONGEST}
    assert made(improviser, long) is not made(improviser, long)


def test_a_new_pace_reaches_a_stream_that_was_remembered() -> None:
    improviser = Improviser()
    made(improviser, FORMS["streamed"])
    improviser.set_pace(Pace(first_token_ms=100, tokens_per_second=50))
    assert made(improviser, FORMS["streamed"]).response.frame_at_ms[:2] == (100, 120)
    response_id = answer("responses", PLAIN, improviser=improviser)["id"]
    assert answer(f"responses/{response_id}", None, "GET", improviser)["id"] == response_id


# --- what is stored ---------------------------------------------------------------------------------------------------


@pytest.mark.aoai_improvise
def test_a_response_that_was_deleted_is_stored_again(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    first = openai_client.responses.create(model=MODEL, input=QUESTION)
    openai_client.responses.delete(first.id)
    aoai_emulator.azure.reset()
    again = openai_client.responses.create(model=MODEL, input=QUESTION)
    assert again == first
    assert openai_client.responses.retrieve(again.id).output_text == first.output_text
    items: Any = list(openai_client.responses.input_items.list(again.id))
    assert [item.content[0].text for item in items] == [QUESTION]
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        openai_client.responses.cancel(again.id)
    assert QUESTION in openai_client.responses.create(model=MODEL, input=[], previous_response_id=again.id).output_text
    openai_client.responses.delete(again.id)
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(again.id)


def test_the_stream_of_a_remembered_response_is_resumed_after_a_delete() -> None:
    improviser = Improviser()
    events = answer("responses", FORMS["streamed"], improviser=improviser)
    place = f"responses/{events[0]['response']['id']}"
    answer(place, None, "DELETE", improviser)
    assert answer("responses", FORMS["streamed"], improviser=improviser) == events
    rest = answer(f"{place}?stream=true&starting_after=3", None, "GET", improviser)
    assert rest == events[4:]


def test_what_is_not_stored_stays_unknown_when_it_is_asked_again() -> None:
    improviser = Improviser()
    for _ in range(2):
        response_id = answer("responses", FORMS["not stored"], improviser=improviser)["id"]
        assert "error" in answer(f"responses/{response_id}", None, "GET", improviser)


def test_the_same_request_in_other_bytes_is_the_one_that_is_stored() -> None:
    one, other = (PLAIN | {"metadata": dict(pairs)} for pairs in ([("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")]))
    improviser = Improviser()
    for body in (one, other, one, other):
        whole = answer("responses", body, improviser=improviser)
        kept = answer(f"responses/{whole['id']}", None, "GET", improviser)
        assert [*kept["metadata"]] == [*whole["metadata"]] == [*body["metadata"]]


# --- what depends on the store ----------------------------------------------------------------------------------------


def test_an_answer_that_goes_on_another_is_never_stale() -> None:
    improviser = Improviser()
    first = answer("responses", PLAIN, improviser=improviser)["id"]
    further = {"model": MODEL, "input": [], "previous_response_id": first}
    before = answer("responses", further, improviser=improviser)
    assert answer("responses", further, improviser=improviser) == before
    answer(f"responses/{first}", None, "DELETE", improviser)
    refused = answer("responses", further, improviser=improviser)
    assert refused["error"]["code"] == "previous_response_not_found"
    answer("responses", PLAIN, improviser=improviser)
    assert answer("responses", further, improviser=improviser) == before


def test_a_job_that_is_asked_for_again_begins_again() -> None:
    improviser = Improviser()
    job = {"model": REASONING, "input": QUESTION, "background": True}
    for _ in range(2):
        begun = answer("responses", job, improviser=improviser)
        place = f"responses/{begun['id']}"
        seen = [begun["status"], *(answer(place, None, "GET", improviser)["status"] for _ in range(2))]
        assert seen == ["queued", "in_progress", "completed"]
    answer("responses", job, improviser=improviser)
    assert answer(f"{place}/cancel", {}, "POST", improviser)["status"] == "cancelled"
    assert answer("responses", job, improviser=improviser)["status"] == "queued"
    assert answer(place, None, "GET", improviser)["status"] == "in_progress"


def test_chat_is_remembered_and_stores_nothing() -> None:
    improviser, body = Improviser(), {"model": MODEL, "messages": USER}
    path = "/openai/v1/chat/completions"
    assert made(improviser, body, path) is made(improviser, body, path)
