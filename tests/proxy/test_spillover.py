"""A call goes to the next deployment at once. A deployment without room is left alone for as long as it said."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from proxy.fields import Fields
from proxy.settings import Settings
from proxy.spillover import LONGEST_SECONDS, Spillover, seconds_to_wait

CHAIN = ("standard", "datazone", "ptu")
GOOD = {"AZURE_OPENAI_BASE": "https://res.openai.azure.com"}


# --- whom it asks, and when


class Azure:
    """Answers for each deployment with its (status, headers), and notes who was asked, and whose answer was closed."""

    def __init__(self, **answers: tuple[int, dict[str, str]]) -> None:
        self.answers, self.now = answers, 100.0
        self.asked: list[str] = []
        self.closed: list[str] = []
        self.spillover = Spillover({"gpt-5": CHAIN}, lambda: self.now)

    async def send(self, deployment: str) -> httpx.Response:
        self.asked.append(deployment)
        status, headers = self.answers.get(deployment, (200, {}))
        return httpx.Response(status, headers=headers, stream=Told(lambda: self.closed.append(deployment)))

    def ask(self) -> tuple[int, list[str], Fields]:
        """The status that the caller gets, who was asked for it, and the record."""
        before, fields = len(self.asked), Fields("POST", "chat/completions")
        answer = asyncio.run(self.spillover.ask(CHAIN, self.send, fields))
        return answer.status_code, self.asked[before:], fields


class Told(httpx.AsyncByteStream):
    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell

    async def aclose(self) -> None:
        self.tell()


def test_the_first_deployment_answers_while_it_has_room() -> None:
    azure = Azure()
    status, asked, fields = azure.ask()
    assert (status, asked, fields.deployment, fields.asked) == (200, ["standard"], "standard", "standard 200")


@pytest.mark.parametrize("status", [429, 503])
def test_the_next_one_is_asked_at_once_and_the_refusal_is_closed(status: int) -> None:
    azure = Azure(standard=(status, {}))
    told, asked, fields = azure.ask()
    assert (told, asked, fields.deployment) == (200, ["standard", "datazone"], "datazone")
    assert fields.asked == f"standard {status}, datazone 200"
    assert azure.closed == ["standard"]


@pytest.mark.parametrize("status", [400, 401, 404, 408, 500, 502, 504])
def test_any_other_answer_is_the_callers(status: int) -> None:
    assert Azure(standard=(status, {})).ask()[:2] == (status, ["standard"])


def test_a_deployment_is_passed_over_as_long_as_it_said() -> None:
    azure = Azure(standard=(429, {"retry-after": "30"}))
    azure.ask()
    azure.now += 29.9
    assert azure.ask()[1] == ["datazone"]
    azure.now += 0.2
    assert azure.ask()[1] == ["standard", "datazone"]


def test_a_deployment_that_says_nothing_is_asked_again() -> None:
    azure = Azure(standard=(429, {}))
    assert [azure.ask()[1] for _ in range(2)] == [["standard", "datazone"]] * 2


def test_where_all_refuse_the_caller_gets_the_refusal_that_ends_first() -> None:
    azure = Azure(standard=(429, {"retry-after": "30"}), datazone=(429, {"retry-after-ms": "700"}), ptu=(503, {}))
    status, asked, fields = azure.ask()
    assert (status, asked, fields.deployment) == (429, list(CHAIN), "datazone")
    assert fields.asked == "standard 429, datazone 429, ptu 503"
    assert azure.closed == ["standard", "ptu"]


def test_while_none_has_room_the_one_that_has_room_first_is_asked_alone() -> None:
    full = {name: (429, {"retry-after": str(wait)}) for name, wait in zip(CHAIN, (30, 10, 20), strict=True)}
    azure = Azure(**full)
    azure.ask()
    assert azure.ask()[:2] == (429, ["datazone"])
    azure.now += 20.5
    assert azure.ask()[1] == ["datazone", "ptu"]


def test_a_failure_of_the_next_one_leaves_no_answer_open() -> None:
    azure = Azure(standard=(429, {}))

    async def send(deployment: str) -> httpx.Response:
        if deployment == "datazone":
            raise httpx.ReadError("broken")
        return await azure.send(deployment)

    with pytest.raises(httpx.ReadError):
        asyncio.run(azure.spillover.ask(CHAIN, send, Fields("POST", "chat/completions")))
    assert azure.closed == ["standard"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "7", "retry-after-ms": "soon"}, 7.0),
        ({"retry-after": "86400"}, LONGEST_SECONDS),
        ({"retry-after": "9" * 12}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00"}, None),
        ({"retry-after": "Thu, 01 Jan 999999 00:00:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_how_long_a_refusal_says(headers: dict[str, str], seconds: float | None) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert seconds_to_wait(httpx.Headers(raw)) == seconds


def test_a_refusal_may_say_until_when() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert seconds_to_wait(httpx.Headers({"retry-after": in_a_minute})) == pytest.approx(60, abs=5)


# --- the setting


@pytest.mark.parametrize(
    ("value", "deployments", "chains"),
    [
        ("gpt-5=a|b", {"gpt-5": "a"}, {"gpt-5": ("a", "b")}),
        (" gpt-5 = a | b , x ", {"gpt-5": "a", "x": "x"}, {"gpt-5": ("a", "b")}),
        ("gpt-5|gpt-5-zone", {"gpt-5": "gpt-5"}, {"gpt-5": ("gpt-5", "gpt-5-zone")}),
        (
            "gpt-5=a|b,gpt-5-mini=b|a",
            {"gpt-5": "a", "gpt-5-mini": "b"},
            {"gpt-5": ("a", "b"), "gpt-5-mini": ("b", "a")},
        ),
        ("a,b=c", {"a": "a", "b": "c"}, {}),
    ],
)
def test_a_chain_is_read(value: str, deployments: dict[str, str], chains: dict[str, tuple[str, ...]]) -> None:
    read = Settings.from_env(GOOD | {"AZURE_OPENAI_DEPLOYMENT": value})
    assert (read.problems, read.deployments, read.chains) == ((), deployments, chains)


@pytest.mark.parametrize(
    "value",
    ["", ",", "a=|b", "a=b|", "a=b||c", "a=b|b", "|", "a|a", "=a|b", "a|b=c", "a=b|c,a=d", "a=b|c d", "a=b=c|d"],
)
def test_a_chain_that_makes_no_sense_is_named(value: str) -> None:
    (problem,) = Settings.from_env(GOOD | {"AZURE_OPENAI_DEPLOYMENT": value}).problems
    assert problem.startswith("AZURE_OPENAI_DEPLOYMENT must be ")
    assert "first|second" in problem
