"""Spillover as the OpenAI SDK meets it, through both doors, both of Azure's APIs and both backends of the host: how
many deployments are asked, and who answers."""

import time
from collections import Counter
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai import OpenAI

from emulator.azure.limits import Limits
from emulator.stack import LocalStack
from emulator.synthetic.improvising import Improviser
from tests.host.hosts import BACKENDS
from tests.keys.signing import SECRET, key_text

CHAIN = ["standard", "datazone", "ptu"]
WHO = "x-ms-deployment-name"
MINUTE_SECONDS = 0.4  # of the rate limits here
MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module", params=[(backend, api) for backend in BACKENDS for api in ("v1", "2024-10-21")])
def stack(request: pytest.FixtureRequest) -> Iterator[LocalStack]:
    backend, version = request.param
    settings = {
        "AZURE_OPENAI_DEPLOYMENT": f"gpt-5-mini={'|'.join(CHAIN)},text-embedding-3-small=vectors|more-vectors",
        "AZURE_OPENAI_API_VERSION": version,
        "PROXY_SIGNING_KEY": SECRET,
    }
    with LocalStack((), settings=settings, backend=backend) as started:
        started.azure.after.append(Improviser())
        yield started


@pytest.fixture(params=["function key", "signed key"])
def client(stack: LocalStack, request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    stack.azure.reset()
    stack.azure.deployments = frozenset()
    if request.param == "function key":
        options = {"api_key": "unused", "default_headers": {"x-functions-key": stack.function_key}}
        url = stack.base_url
    else:
        options = {"api_key": key_text("Ada", tokens_a_day=1_000_000)}
        url = stack.base_url.replace("/api/v1", "/api/keys/v1")
    with OpenAI(base_url=url, max_retries=0, **options) as client:  # type: ignore[arg-type]
        yield client


def asked(stack: LocalStack) -> list[str | None]:
    return [exchange.question.deployment for exchange in stack.azure.journal.exchanges if exchange.question]


def chat(client: OpenAI) -> str | None:
    """Who answered."""
    raw = client.chat.completions.with_raw_response.create(model="gpt-5-mini", messages=MESSAGES)  # type: ignore[arg-type]
    assert raw.parse().choices[0].message.content
    return raw.headers.get(WHO)


@pytest.mark.parametrize("refusal", ["rate_limited", "rate_limited_briefly", "unavailable"])
@pytest.mark.parametrize("refused", [1, 2])
def test_the_next_deployment_answers(stack: LocalStack, client: OpenAI, refusal: str, refused: int) -> None:
    stack.azure.misbehave(f"{refusal}; times={refused}; retry=none")
    assert chat(client) == CHAIN[refused]
    assert asked(stack) == CHAIN[: refused + 1]


def test_a_stream_begins_at_the_next_deployment(stack: LocalStack, client: OpenAI) -> None:
    stack.azure.misbehave("rate_limited; times=1; retry=none")
    stream = client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True)  # type: ignore[arg-type,call-overload]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text
    assert stream.response.headers[WHO] == "datazone"
    assert asked(stack) == CHAIN[:2]


def test_a_stream_that_breaks_in_the_middle_is_asked_of_nobody_else(stack: LocalStack, client: OpenAI) -> None:
    stack.azure.misbehave("error_event; at_frame=2")
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True))  # type: ignore[arg-type,call-overload]
    assert asked(stack) == CHAIN[:1]


def test_embeddings_spill_over(stack: LocalStack, client: OpenAI) -> None:
    stack.azure.misbehave("rate_limited; times=1; retry=none")
    raw = client.embeddings.with_raw_response.create(model="text-embedding-3-small", input="hello")
    assert raw.parse().data[0].embedding
    assert (raw.headers[WHO], asked(stack)) == ("more-vectors", ["vectors", "more-vectors"])


def test_responses_spill_over_where_nothing_is_stored(stack: LocalStack, client: OpenAI) -> None:
    stack.azure.misbehave("rate_limited; times=1; retry=none")
    answer = client.responses.create(model="gpt-5-mini", input="hello", store=False)
    assert answer.output_text
    assert asked(stack) == CHAIN[:2]


def test_all_are_asked_once_and_then_the_sdk_sees_the_refusal(stack: LocalStack, client: OpenAI) -> None:
    stack.azure.misbehave("rate_limited; retry=none")
    with pytest.raises(openai.RateLimitError) as refused:
        chat(client)
    assert refused.value.code == "RateLimitReached"
    assert asked(stack) == CHAIN


def test_under_a_limit_each_call_costs_few_questions(stack: LocalStack, client: OpenAI) -> None:
    """One call fits into each deployment's minute, of 0.4 s here. A full deployment is not asked again before."""
    stack.azure.limits = Limits(requests=1, time_scale=60 / MINUTE_SECONDS)
    answered = [chat(client) for _ in CHAIN]
    assert answered == CHAIN
    assert Counter(asked(stack)) == {"standard": 2, "datazone": 2, "ptu": 1}
    with pytest.raises(openai.RateLimitError) as refused:
        chat(client)
    assert Counter(asked(stack)) == {"standard": 2, "datazone": 2, "ptu": 2}
    assert 0 < float(refused.value.response.headers["retry-after-ms"]) <= 1000 * MINUTE_SECONDS
    time.sleep(MINUTE_SECONDS)  # the proxy forgets only then


def test_a_budget_pays_a_spilled_call_once(stack: LocalStack) -> None:
    stack.azure.reset()
    stack.azure.deployments = frozenset()
    stack.azure.misbehave("rate_limited; times=2; retry=none")
    url, key = stack.base_url.replace("/api/v1", "/api/keys/v1"), key_text("Once", tokens_a_day=1_000_000)
    with OpenAI(base_url=url, api_key=key, max_retries=0) as client:
        assert chat(client) == "ptu"
    deadline, today = time.monotonic() + 5, {"open_requests": 1}
    while today["open_requests"] and time.monotonic() < deadline:
        today = httpx.get(f"{url}/usage", headers={"authorization": f"Bearer {key}"}).json()["today"]
    assert (today["requests"], today["open_requests"], today["reserved_tokens"]) == (1, 0, 0)


def test_a_key_reaches_the_deployments_of_its_own_models_only(stack: LocalStack) -> None:
    stack.azure.reset()
    stack.azure.deployments = frozenset()
    azures = stack.base_url.replace("/api/v1", "/api/keys/openai/deployments")
    headers = {"authorization": f"Bearer {key_text('Bob', models=('text-embedding-3-small',))}"}
    answers = {
        name: httpx.post(f"{azures}/{name}/embeddings", headers=headers, json={"input": "hello"}).status_code
        for name in ("more-vectors", "datazone", "gpt-5-mini")
    }
    assert answers == {"more-vectors": 200, "datazone": 404, "gpt-5-mini": 403}
    assert asked(stack) == ["more-vectors"]
