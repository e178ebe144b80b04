"""Spillover through the real proxy, over sockets: the same bytes go to the next deployment, before the first byte of an
answer, and nothing that is stored."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import Arrived, Log, Proxy, RawUpstream, proxy, sending

CHAIN = ("standard", "datazone", "ptu")
BUSY, DOWN = "429 Too Many Requests", "503 Service Unavailable"


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
