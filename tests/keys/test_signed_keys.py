"""The proxy accepts a signed key for the models and the time that it names, and accepts no other key."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.keys.signing import OLDER, TODAY, key_text, keys_url
from tests.support import Log, Proxy, RawUpstream, sending

ANSWER = json.dumps({"id": "chatcmpl-1", "model": "m-1", "choices": [], "usage": {"total_tokens": 3}}).encode()
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
YESTERDAY = TODAY.fromordinal(TODAY.toordinal() - 1)
CHANGING = ("x-request-id", "server-timing", "date")


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def ask(proxy: Proxy, route: str, headers: dict[str, str], **options: Any) -> httpx.Response:
    method = "POST" if "json" in options or "content" in options else "GET"
    return httpx.request(method, f"{keys_url(proxy)}/{route}", headers=headers, timeout=20, **options)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer {}"},
        {"Authorization": "bearer   {}"},
        {"api-key": "{}"},
        {"x-api-key": "{}"},
        {"authorization": "Bearer {}", "api-key": "{}", "x-api-key": "{}"},
        {"authorization": "Bearer", "api-key": "{}"},
        {"authorization": "Basic dXNlcjpwYXNz", "api-key": "{}"},
        {"authorization": "Bearer {}", "x-functions-key": "anything"},
    ],
)
def test_a_key_is_taken_from_where_programs_put_it(signed: Proxy, headers: dict[str, str]) -> None:
    answer = ask(signed, "models", {name: value.format(key_text()) for name, value in headers.items()})
    assert [entry["id"] for entry in answer.json()["data"]] == ["gpt-4o-mini", "gpt-4o"]


def test_azure_gets_the_call_without_the_key(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(ANSWER, b"content-type: application/json")
    upstream.arrived.clear()
    key = key_text()
    answer = ask(signed, "chat/completions", bearer(key) | {"api-key": key, "x-api-key": key}, json=CHAT)
    assert answer.content == ANSWER
    (arrived,) = upstream.arrived
    assert json.loads(arrived.body)["model"] == "my-4o-deployment"
    assert key.encode() not in arrived.head
    assert arrived.headers["authorization"].startswith("Bearer ey")


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({}, 401, "missing_api_key"),
        ({"authorization": "Bearer"}, 401, "missing_api_key"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, 401, "missing_api_key"),
        ({"x-functions-key": "test-key"}, 401, "missing_api_key"),
        (bearer("unused"), 401, "invalid_api_key"),
        (bearer(key_text(secret=OLDER)), 401, "invalid_api_key"),
        (bearer(key_text(ends=YESTERDAY)), 401, "api_key_ended"),
        (bearer(key_text("Eve")), 401, "api_key_revoked"),
        (bearer(key_text(id="id-taken-back")), 401, "api_key_revoked"),
        (bearer(key_text()) | {"api-key": key_text("Bob")}, 400, "two_api_keys"),
        ({"api-key": key_text(), "x-api-key": "x"}, 400, "two_api_keys"),
    ],
)
def test_each_refusal_has_its_own_code(signed: Proxy, headers: dict[str, str], status: int, error: str) -> None:
    for route, body in (("models", None), ("chat/completions", CHAT), ("no/such/route", None)):
        answer = ask(signed, route, headers, **({"json": body} if body else {}))
        assert code(answer) == (status, error)
        assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_a_key_whose_last_day_is_today_is_good_and_one_without_an_end_too(signed: Proxy) -> None:
    assert ask(signed, "models", bearer(key_text(ends=TODAY))).status_code == 200
    assert ask(signed, "models", bearer(key_text(ends=None))).status_code == 200


def test_a_function_key_opens_nothing_here_and_a_signed_one_nothing_there(signed: Proxy) -> None:
    assert httpx.get(f"{signed.base_url}/models", headers=bearer(key_text())).status_code == 401
    assert code(httpx.get(f"{keys_url(signed)}/models?code=test-key")) == (401, "missing_api_key")


def test_a_route_that_does_not_exist_is_our_own_404_for_who_has_a_key(signed: Proxy) -> None:
    for route in ("v1/chat/completions", "chat", ""):
        answer = ask(signed, route, bearer(key_text()), json=CHAT)
        assert code(answer) == (404, "not_found")
        assert "The base URL ends in /api/keys/v1, once" in answer.json()["error"]["message"]
    below = httpx.get(keys_url(signed).removesuffix("/v1"), headers=bearer(key_text()))
    assert code(below) == (404, "not_found")


class TestAKeyForSomeModels:
    KEY = bearer(key_text(models=("gpt-4o", "gone")))

    def test_lists_its_own_alone(self, signed: Proxy) -> None:
        assert [entry["id"] for entry in ask(signed, "models", self.KEY).json()["data"]] == ["gpt-4o"]
        assert ask(signed, "models/gpt-4o", self.KEY).status_code == 200

    def test_asks_the_first_of_its_own_where_none_is_named(self, signed: Proxy, upstream: RawUpstream) -> None:
        upstream.answer = sending(ANSWER, b"content-type: application/json")
        ask(signed, "chat/completions", self.KEY, json={"messages": []})
        assert json.loads(upstream.arrived[-1].body)["model"] == "my-4o-deployment"

    @pytest.mark.parametrize("model", ["gpt-4o-mini", "gone", "gpt-9"])
    def test_asks_no_other_wherever_it_is_named(self, signed: Proxy, upstream: RawUpstream, model: str) -> None:
        upstream.arrived.clear()
        root = keys_url(signed).removesuffix("/v1")
        expected = (403, "model_not_in_key") if model == "gpt-4o-mini" else (404, "model_not_found")
        image = {"x-ms-oai-image-generation-deployment": model}
        body = {"model": "gpt-4o", "input": "x", "store": False}
        assert code(ask(signed, "chat/completions", self.KEY, json=CHAT | {"model": model})) == expected
        assert code(ask(signed, f"models/{model}", self.KEY)) == expected
        assert code(ask(signed, "responses", self.KEY | image, json=body)) == expected
        for deployment in (model, model.replace("-", "%2D")):
            url = f"{root}/openai/deployments/{deployment}/chat/completions"
            assert code(httpx.post(url, headers=self.KEY, json=CHAT)) == expected
        assert upstream.arrived == []

    def test_whose_models_are_all_gone_says_so(self, signed: Proxy) -> None:
        answer = ask(signed, "chat/completions", bearer(key_text(models=("gone",))), json={"messages": []})
        assert code(answer) == (403, "model_not_in_key")


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("POST", "responses", {"model": "gpt-4o", "input": "x"}),
        ("POST", "responses", {"model": "gpt-4o", "input": "x", "store": False, "previous_response_id": "resp_1"}),
        ("GET", "responses/resp_1", None),
        ("DELETE", "responses/resp_1", None),
        ("GET", "responses/resp_1/input_items", None),
        ("POST", "responses/resp_1/cancel", None),
        ("POST", "chat/completions", CHAT | {"store": True}),
    ],
)
def test_nobody_reads_what_another_key_stored(
    signed: Proxy, upstream: RawUpstream, method: str, route: str, body: dict[str, Any] | None
) -> None:
    upstream.arrived.clear()
    root = keys_url(signed).removesuffix("/keys/v1")
    for below in ("keys/v1", "keys/openai/v1") + (() if "chat" in route else ("keys/openai",)):
        answer = httpx.request(method, f"{root}/{below}/{route}", headers=bearer(key_text()), json=body)
        assert code(answer) == (400, "storing_is_off")
    assert upstream.arrived == []


def test_a_record_names_the_person_and_no_key(signed: Proxy, log: Log) -> None:
    good, ended, forged = key_text(), key_text(ends=YESTERDAY), key_text(secret=OLDER)
    cases = {good: ("Ada", None), ended: ("Ada", "api_key_ended"), forged: (None, "invalid_api_key")}
    for number, (key, (name, error)) in enumerate(cases.items()):
        asked = f"record-{number}"
        ask(signed, "models", bearer(key) | {"x-client-request-id": asked, "x-functions-key": "a function key"})
        record = log.of(asked)
        assert (record["key"], record["error"], record["route"]) == (name, error, "models")
    for secret in (*cases, "sk-", "a function key", "a-signing-key"):
        assert secret not in log.text()


def test_a_key_is_looked_at_before_the_body_comes(signed: Proxy) -> None:
    """The host does not wait for a chunked body, so its sender gets the refusal while it still sends."""
    url = urlsplit(keys_url(signed))
    with socket.create_connection((url.hostname, url.port or 80), 10) as sock:
        head = f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        sock.sendall(head.encode() + b'authorization: Bearer sk-forged\r\n\r\n5\r\n{"mod\r\n')
        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_a_large_body_with_a_wrong_key_costs_its_caller_the_answer_and_no_more(signed: Proxy) -> None:
    with httpx.Client(headers=bearer("sk-forged"), timeout=20) as client:
        for _ in range(2):
            answer = client.post(f"{keys_url(signed)}/chat/completions", content=b"x" * 2_000_000)
            assert code(answer) == (401, "invalid_api_key")


def test_a_stranger_learns_nothing_about_any_key(signed: Proxy) -> None:
    """Whoever cannot sign gets one answer, whatever the claims say: a name, a revoked name, a last day that is over."""
    claimed = [key_text(), key_text("Eve"), key_text(id="id-taken-back"), key_text(ends=YESTERDAY), key_text("nobody")]
    guessed = [
        *(text[:-2] + ("AA" if text[-2:] != "AA" else "QA") for text in claimed),
        *(text.rpartition(".")[0] for text in claimed),
        *(key_text(name, secret=OLDER) for name in ("Ada", "Eve", "nobody")),
        *("sk-", "sk-x", "x" * 300, "sk-" + "A" * 9_000 + "." + "A" * 43),
    ]
    told = set()
    for text in guessed:
        for route in ("models", "usage", "responses/resp_1", "no/such/route"):
            answer = ask(signed, route, bearer(text))
            headers = {name: value for name, value in answer.headers.items() if name not in CHANGING}
            told.add((answer.status_code, answer.content, tuple(headers.items())))
    assert {status for status, _, _ in told} == {401}
    assert len(told) == 1
