"""A call goes to the next deployment at once, before the first byte, unchanged; a deployment without room is left alone
for as long as it said."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from proxy.fields import Fields
from proxy.settings import Settings
from proxy.spillover import LONGEST_SECONDS, Spillover, seconds_to_wait
from tests.support import Arrived, Log, Proxy, RawUpstream, proxy, sending

CHAIN = ("standard", "datazone", "ptu")
GOOD = {"AZURE_OPENAI_BASE": "https://res.openai.azure.com"}
BUSY, DOWN = "429 Too Many Requests", "503 Service Unavailable"


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


# --- through the real proxy, over sockets


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("spillover") / "stderr")


@pytest.fixture(scope="module")
def spilling(upstream: RawUpstream, log: Log) -> Iterator[Proxy]:
    settings = {"AZURE_OPENAI_DEPLOYMENT": "gpt-5=standard|datazone|ptu,gpt-4o=my-4o"}
    with log.path.open("wb") as file, proxy(upstream.base, settings, verbose=True, log=file) as running:
        yield running


def asked_of(request: Arrived) -> str:
    model: str = json.loads(request.body)["model"]
    return model


def refusing(*names: str, status: str = BUSY, headers: tuple[bytes, ...] = ()) -> Callable[..., None]:
    """An upstream in which these deployments have no room."""

    def answer(request: Arrived, sock: socket.socket) -> None:
        head = (b"content-type: application/json", *headers)
        if asked_of(request) in names:
            sending(b'{"error":{"code":"RateLimitReached"}}', *head, status=status.encode())(request, sock)
        else:
            sending(b'{"id":"x","object":"chat.completion","choices":[]}', *head)(request, sock)

    return answer


def post(
    spilling: Proxy, body: bytes, route: str = "chat/completions", name: str = "", timeout: float = 20
) -> httpx.Response:
    headers = {**spilling.headers, "content-type": "application/json", "x-client-request-id": name}
    return httpx.post(f"{spilling.base_url}/{route}", headers=headers, content=body, timeout=timeout)


@pytest.fixture(autouse=True)
def forgetful(request: pytest.FixtureRequest) -> None:
    if "spilling" in request.fixturenames:
        request.getfixturevalue("upstream").arrived.clear()


@pytest.mark.parametrize("status", [BUSY, DOWN])
def test_the_body_is_sent_again_byte_for_byte(spilling: Proxy, upstream: RawUpstream, log: Log, status: str) -> None:
    upstream.answer = refusing("standard", status=status)
    body = b' {"messages":[ {"role":"user","content":"\\u00fc \xc3\xbc"}],\t"model" : "gpt-5" , "seed":1.0}\n'
    answer = post(spilling, body, name=status)
    assert (answer.status_code, answer.headers["x-ms-deployment-name"]) == (200, "datazone")
    sent = [request.body for request in upstream.arrived]
    assert sent == [body.replace(b"gpt-5", name) for name in (b"standard", b"datazone")]
    first, second = (request.headers for request in upstream.arrived)
    assert [request.head.lower().count(b"\nauthorization:") for request in upstream.arrived] == [1, 1]
    assert {**first, "content-length": ""} == {**second, "content-length": ""}
    record = log.of(status)
    assert (record["model"], record["deployment"]) == ("gpt-5", "datazone")
    assert record["asked"] == f"standard {status[:3]}, datazone 200"


def test_a_body_without_a_model_gets_the_next_ones_name(spilling: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = refusing("standard", "datazone")
    assert post(spilling, b'{"messages":[]}').headers["x-ms-deployment-name"] == "ptu"
    assert upstream.arrived[-1].body == b'{"model":"ptu","messages":[]}'


def test_where_all_refuse_the_callers_refusal_is_azures_own(spilling: Proxy, upstream: RawUpstream) -> None:
    limits = (b"x-ratelimit-remaining-tokens: 0", b"x-ratelimit-reset-tokens: 9")
    upstream.answer = refusing(*CHAIN, headers=limits)
    answer = post(spilling, b'{"model":"gpt-5"}')
    assert (answer.status_code, answer.content) == (429, b'{"error":{"code":"RateLimitReached"}}')
    assert (answer.headers["x-ratelimit-reset-tokens"], answer.headers["x-ms-deployment-name"]) == ("9", "standard")
    assert [asked_of(request) for request in upstream.arrived] == list(CHAIN)


def test_a_model_with_one_deployment_is_asked_once_and_nobody_is_named(
    spilling: Proxy, upstream: RawUpstream, log: Log
) -> None:
    upstream.answer = refusing("my-4o")
    answer = post(spilling, b'{"model":"gpt-4o"}', name="one")
    assert (answer.status_code, len(upstream.arrived)) == (429, 1)
    assert "x-ms-deployment-name" not in answer.headers
    assert log.of("one")["asked"] is None


def test_the_name_that_azure_gives_stays(spilling: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = refusing(headers=(b"x-ms-deployment-name: its-own",))
    assert post(spilling, b'{"model":"gpt-5"}').headers.get_list("x-ms-deployment-name") == ["its-own"]


STORED: dict[str, dict[str, Any]] = {
    "a response": {"input": "x"},
    "a stored response": {"input": "x", "store": True},
    "its continuation": {"input": "x", "store": False, "previous_response_id": "resp_1"},
    "a conversation": {"input": "x", "store": False, "conversation": "conv_1"},
    "a reference": {"input": [{"type": "item_reference", "id": "msg_1"}], "store": False},
    "in the background": {"input": "x", "background": True},
}


@pytest.mark.parametrize("what", STORED)
def test_what_is_stored_stays_with_the_first_deployment(spilling: Proxy, upstream: RawUpstream, what: str) -> None:
    upstream.answer = refusing("standard")
    answer = post(spilling, json.dumps({"model": "gpt-5", **STORED[what]}).encode(), "responses")
    assert (answer.status_code, [asked_of(request) for request in upstream.arrived]) == (429, ["standard"])


def test_a_stored_chat_stays_as_well(spilling: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = refusing("standard")
    assert post(spilling, b'{"model":"gpt-5","store":true}').status_code == 429
    assert len(upstream.arrived) == 1


@pytest.mark.parametrize("route", ["embeddings", "responses"])
def test_what_is_not_stored_spills_over_on_each_route(spilling: Proxy, upstream: RawUpstream, route: str) -> None:
    upstream.answer = refusing("standard")
    answer = post(spilling, b'{"model":"gpt-5","input":"x","store":false}', route)
    assert (answer.status_code, answer.headers["x-ms-deployment-name"]) == (200, "datazone")


def test_a_stream_that_breaks_after_its_first_byte_is_nobodys_else(spilling: Proxy, upstream: RawUpstream) -> None:
    def answer(request: Arrived, sock: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        event = b'data: {"error":{"code":"429","message":"too many"}}\n\n'
        sock.sendall(head + b"%x\r\n%s\r\n" % (len(event), event))
        sock.shutdown(socket.SHUT_RDWR)

    upstream.answer = answer
    with pytest.raises(httpx.HTTPError):
        post(spilling, b'{"model":"gpt-5","stream":true}')
    assert len(upstream.arrived) == 1


def test_a_caller_who_leaves_ends_the_second_call_as_well(spilling: Proxy, upstream: RawUpstream, log: Log) -> None:
    left: list[float] = []

    def answer(request: Arrived, sock: socket.socket) -> None:
        if asked_of(request) == "standard":
            sending(b"{}", status=BUSY.encode())(request, sock)
        else:
            sock.recv(1)  # until the proxy closes the connection
            left.append(time.monotonic())

    upstream.answer = answer
    with pytest.raises(httpx.ReadTimeout):
        post(spilling, b'{"model":"gpt-5"}', name="left", timeout=0.5)
    record = log.of("left")
    assert (record["outcome"], record["asked"], record["deployment"]) == ("caller_left", "standard 429", "datazone")
    deadline = time.monotonic() + 5
    while not left and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left


# --- a deployment by its own name


def test_a_deployment_of_a_chain_answers_alone_to_its_own_name_in_azures_path(
    spilling: Proxy, upstream: RawUpstream
) -> None:
    upstream.answer = refusing("datazone")
    azures = spilling.base_url.replace("/api/v1", "/api/openai/deployments/{}/chat/completions")
    for name, status in (("datazone", 429), ("ptu", 200), ("my-4o", 200), ("elsewhere", 404)):
        answer = httpx.post(azures.format(name), headers=spilling.headers, content=b"{}")
        assert answer.status_code == status, name
    assert [asked_of(request) for request in upstream.arrived] == ["datazone", "ptu", "my-4o"]


def test_a_body_names_models_only(spilling: Proxy, upstream: RawUpstream) -> None:
    answer = post(spilling, b'{"model":"ptu"}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_the_list_of_models_names_the_deployments_of_a_chain(spilling: Proxy) -> None:
    listed = httpx.get(f"{spilling.base_url}/models", headers=spilling.headers).json()["data"]
    assert [(entry["id"], entry.get("deployments")) for entry in listed] == [("gpt-5", list(CHAIN)), ("gpt-4o", None)]


def test_a_bad_chain_is_a_problem_that_every_call_names(upstream: RawUpstream, tmp_path: Path) -> None:
    with proxy(upstream.base, {"AZURE_OPENAI_DEPLOYMENT": "gpt-5=a|a"}) as running:
        answer = post(running, b'{"model":"gpt-5"}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "misconfigured")
    assert "AZURE_OPENAI_DEPLOYMENT" in answer.json()["error"]["message"]
