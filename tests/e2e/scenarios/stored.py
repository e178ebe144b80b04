"""Responses that Azure keeps: jobs in the background, and what can be done with a response once it has an id."""

from typing import Any

from openai import OpenAI

from emulator.synthetic import Scenario, deletes, keeps, lists_input, not_found, resumes, says

from . import sdk

MODEL = "gpt-5-mini"
UNKNOWN = "resp_" + "0" * 50
ENCRYPTED: Any = "reasoning.encrypted_content"
ESSAY = "The sieve crosses out multiples; what is left is prime."
TIDES = "The moon pulls the near ocean more than the far one, so the water rises on both sides."
KUMQUAT = "I will: kumquat."
FACTORS = "No, it is 13 times 17."
LAST_SEEN = 9  # the number of the last event before a stream broke
TURNS = [("user", "I collect stamps."), ("assistant", "From where?"), ("user", "From islands. Name one.")]


def sieve(client: OpenAI) -> Any:
    """A job: its answer is fetched with `look`."""
    return client.responses.create(model=MODEL, input="Explain the sieve of Eratosthenes.", background=True)


def look(client: OpenAI, response_id: str) -> Any:
    return client.responses.retrieve(response_id)


def novel(client: OpenAI) -> Any:
    return client.responses.create(model=MODEL, input="Write a novel about a snail.", background=True)


def cancel(client: OpenAI, response_id: str) -> Any:
    return client.responses.cancel(response_id)


def tides_streamed(client: OpenAI) -> Any:
    return client.responses.create(model=MODEL, input="Why are there two tides a day?", background=True, stream=True)


def resume(client: OpenAI, response_id: str, starting_after: int) -> Any:
    return client.responses.retrieve(response_id, stream=True, starting_after=starting_after)


def secret(client: OpenAI) -> Any:
    return client.responses.create(model="gpt-4o-mini", input="Remember this for a minute: kumquat.")


def delete(client: OpenAI, response_id: str) -> Any:
    """With the raw answer, for the SDK itself gives nothing."""
    return client.responses.with_raw_response.delete(response_id)


def conversation(client: OpenAI) -> Any:
    messages: Any = [{"role": role, "content": content} for role, content in TURNS]
    return client.responses.create(model="gpt-4o-mini", input=messages)


def input_items(client: OpenAI, response_id: str, **options: Any) -> Any:
    return client.responses.input_items.list(response_id, **options)


def prime(client: OpenAI) -> Any:
    return client.responses.create(model=MODEL, input="Is 221 a prime number?")


def with_reasoning(client: OpenAI, response_id: str) -> Any:
    return client.responses.retrieve(response_id, include=[ENCRYPTED])


def polled(client: OpenAI) -> None:
    job = sieve(client)
    for _ in range(2):
        look(client, job.id)


def cancelled(client: OpenAI) -> None:
    job = novel(client)
    for _ in range(2):  # which changes nothing
        cancel(client, job.id)
    look(client, job.id)


def resumed(client: OpenAI) -> Any:
    events = list(tides_streamed(client))
    return resume(client, events[0].response.id, LAST_SEEN)


def deleted(client: OpenAI) -> None:
    kept = secret(client)
    look(client, kept.id)
    delete(client, kept.id)
    look(client, kept.id)


def paged(client: OpenAI) -> None:
    response_id = conversation(client).id
    for _ in input_items(client, response_id, limit=2):
        pass
    input_items(client, response_id, order="asc")


INFERRED = "Azure's answers about kept responses are inferred, no recording is known."

SCENARIOS = [
    Scenario(
        "responses/background",
        f"A job in the background: queued, in progress, completed. {INFERRED}",
        [
            ("", keeps("queued")),
            ("GET", keeps("in_progress")),
            ("GET", keeps("completed", ESSAY, thought=192)),
        ],
        sdk(polled),
    ),
    Scenario(
        "responses/background_cancelled",
        f"A job that is cancelled, and once more. {INFERRED}",
        [
            ("", keeps("queued")),
            ("/cancel", keeps("cancelled")),
            ("/cancel", keeps("cancelled")),
            ("GET", keeps("cancelled")),
        ],
        sdk(cancelled),
    ),
    Scenario(
        "responses/background_stream",
        f"A job's stream, and the rest of it after event {LAST_SEEN}. {INFERRED}",
        [("", says(TIDES, thought=128)), ("GET", resumes(TIDES, thought=128))],
        sdk(resumed),
    ),
    Scenario(
        "responses/deleted",
        f"A response that is looked at, deleted, and not found. {INFERRED}",
        [
            ("", says(KUMQUAT)),
            ("GET", keeps("completed", KUMQUAT)),
            ("DELETE", deletes()),
            ("GET", not_found()),
        ],
        sdk(deleted),
    ),
    Scenario(
        "responses/input_items",
        f"The messages of a response's input, in two pages and at once. {INFERRED}",
        [("", says("Saint Helena.")), ("limit=2", lists_input()), ("after=", lists_input()), ("order", lists_input())],
        sdk(paged),
    ),
    Scenario(
        "responses/retrieve_include",
        f"A response with its reasoning, encrypted. {INFERRED}",
        [("", says(FACTORS, thought=64)), ("include", keeps("completed", FACTORS, thought=64))],
        sdk(lambda client: with_reasoning(client, prime(client).id)),
    ),
    Scenario(
        "errors/unknown_response",
        f"An id that no response has. {INFERRED}",
        [("", not_found())],
        sdk(lambda client: look(client, UNKNOWN)),
    ),
]
