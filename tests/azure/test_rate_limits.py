"""A deployment's rate limits refuse calls above them, tell callers what is left, and start again each minute."""

import time
from collections.abc import Iterator

import httpx
import pytest
from openai import OpenAI, RateLimitError

from emulator.azure import FakeAzure
from emulator.azure.limits import Limits
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.stack import CASSETTES
from emulator.tape import cassette
from tests.e2e.scenarios import chat, client_options

QUESTION = cassette.load(CASSETTES / "chat/question.yaml").interactions[0]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    azure = FakeAzure(Library([QUESTION]))
    with serving(azure, bind(0)) as base, httpx.Client(base_url=base, headers={"api-key": azure.api_key}) as made:
        made.azure = azure  # type: ignore[attr-defined]
        yield made


def ask(client: httpx.Client) -> httpx.Response:
    return client.post("/openai/v1/chat/completions", content=QUESTION.request.body)


def left(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("x-ratelimit")}


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_requests_are_counted_for_a_minute(client: httpx.Client) -> None:
    clock = Clock()
    client.azure.limits = Limits(requests=2, clock=clock)  # type: ignore[attr-defined]
    answers = [ask(client)]
    clock.now += 45
    answers += [ask(client), ask(client)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1", "0", "0"]
    assert (answers[2].headers["retry-after"], answers[2].headers["retry-after-ms"]) == ("15", "15000")
    assert "Please retry after 15 seconds" in answers[2].json()["error"]["message"]
    clock.now += 15
    assert ask(client).status_code == 200


def test_tokens_are_counted_as_what_a_call_may_use(client: httpx.Client) -> None:
    client.azure.limits = Limits(tokens=2_000)  # type: ignore[attr-defined]
    first, second = ask(client), ask(client)
    may_use = len(QUESTION.request.body) // 3 + 1_000
    assert (first.status_code, second.status_code) == (200, 429)
    assert left(first) == {
        "x-ratelimit-limit-requests": "300",
        "x-ratelimit-remaining-requests": QUESTION.response.header("x-ratelimit-remaining-requests"),
        "x-ratelimit-limit-tokens": "2000",
        "x-ratelimit-remaining-tokens": str(2_000 - may_use),
        "x-ratelimit-renewalperiod-tokens": "60",
        "x-ratelimit-reset-tokens": "60",
    }
    assert second.headers["policy-id"] == "DeploymentRatelimit-Token"


def test_each_deployment_has_limits_of_its_own() -> None:
    limits = Limits(requests=1)
    assert [limits.admit(name, 1)[0] for name in ("a", "b", "a")] == [True, True, False]


def test_what_was_refused_used_nothing() -> None:
    limits = Limits(tokens=100)
    assert [limits.admit("a", tokens)[0] for tokens in (60, 60, 40)] == [True, False, True]


def test_a_minute_lasts_milliseconds_on_a_faster_clock(
    aoai_emulator: Emulator, proxy_base_url: str, function_key: str
) -> None:
    """The SDK waits as long as `retry-after` says, and then its call succeeds."""
    aoai_emulator.limit(requests=1, time_scale=1_000)
    with OpenAI(**client_options(proxy_base_url, function_key, retries=0)) as client:
        chat.question(client)
        with pytest.raises(RateLimitError) as refused:
            chat.question(client)
    told = int(refused.value.response.headers["retry-after-ms"])
    assert 0 < told <= 60
    time.sleep(told / 1000)
    with OpenAI(**client_options(proxy_base_url, function_key, retries=1)) as client:
        chat.question(client)
    assert [exchange.status for exchange in aoai_emulator.requests] == [200, 429, 200]
