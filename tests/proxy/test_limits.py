"""The proxy refuses what an administrator forbids, says why, and sends none of it to Azure. It refuses nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from proxy.errors import ProxyError
from proxy.limits import check_output, check_store
from proxy.model import choose_deployment
from tests.support import Proxy, proxy

LIMIT = 1_000
CHAT, RESPONSES, ITEM = "chat/completions", "responses", "responses/{response_id}"


def members_of(**body: Any) -> Any:
    return choose_deployment(json.dumps(body).encode(), {"m": "m"}, required=False, in_path=False).members


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (CHAT, {"max_tokens": 1_000}),
        (CHAT, {"max_completion_tokens": 1}),
        (CHAT, {"max_completion_tokens": 1_000, "max_tokens": None}),
        (CHAT, {"max_tokens": 250, "n": 4}),
        (CHAT, {"max_tokens": 1_000, "n": None}),
        (RESPONSES, {"max_output_tokens": 1_000}),
        ("embeddings", {}),
        ("responses/input_tokens", {}),
        (ITEM, {}),
    ],
)
def test_a_call_within_the_limit_passes(route: str, body: dict[str, Any]) -> None:
    check_output(route, members_of(**body), LIMIT)


@pytest.mark.parametrize(
    ("route", "body", "asked"),
    [
        (CHAT, {"max_tokens": 1_001}, "1,001"),
        (CHAT, {"max_tokens": 10**30}, "1,000,000,000,000,"),
        (CHAT, {"max_tokens": 10**400}, "inf"),
        (CHAT, {"max_tokens": 1, "max_completion_tokens": 5_000}, "5,000"),
        (CHAT, {"max_tokens": 251, "n": 4}, "1,004"),
        (CHAT, {}, "no limit"),
        (CHAT, {"max_tokens": None}, "no limit"),
        (CHAT, {"max_tokens": "10"}, "no limit"),
        (CHAT, {"max_tokens": True}, "no limit"),
        (CHAT, {"max_tokens": [1]}, "no limit"),
        (CHAT, {"max_tokens": 10, "n": "9999"}, "no limit"),
        (CHAT, {"max_tokens": float("nan")}, "nan"),
        (CHAT, {"max_output_tokens": 10}, "no limit"),
        (RESPONSES, {"max_output_tokens": 1_001}, "1,001"),
        (RESPONSES, {"max_tokens": 10}, "no limit"),
    ],
)
def test_a_call_above_the_limit_or_without_one_is_refused(route: str, body: dict[str, Any], asked: str) -> None:
    with pytest.raises(ProxyError) as caught:
        check_output(route, members_of(**body), LIMIT)
    error = json.loads(caught.value.body)["error"]
    assert error["code"] == "too_many_output_tokens"
    assert f"you asked for {asked}" in error["message"]
    assert f"`{error['param']}`" in error["message"]


def test_a_limit_that_is_there_twice_counts_twice() -> None:
    body = b'{"max_tokens":1,"max_tokens":5000}'
    members = choose_deployment(body, {"m": "m"}, required=False, in_path=False).members
    with pytest.raises(ProxyError):
        check_output(CHAT, members, LIMIT)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (RESPONSES, {"store": False}),
        (RESPONSES, {"store": False, "background": False, "previous_response_id": None}),
        (RESPONSES, {"store": False, "input": [{"type": "message", "content": "item_reference"}]}),
        (CHAT, {}),
        (CHAT, {"store": False}),
        (CHAT, {"store": None}),
        ("responses/input_tokens", {}),
        ("responses/compact", {"input": "text"}),
        ("embeddings", {}),
    ],
)
def test_a_call_that_stores_nothing_passes(route: str, body: dict[str, Any]) -> None:
    check_store(route, members_of(**body))


@pytest.mark.parametrize(
    ("route", "body", "param"),
    [
        (RESPONSES, {}, "store"),
        (RESPONSES, {"store": None}, "store"),
        (RESPONSES, {"store": True}, "store"),
        (RESPONSES, {"store": 0}, "store"),
        (RESPONSES, {"store": "false"}, "store"),
        (RESPONSES, {"store": False, "background": True}, "background"),
        (RESPONSES, {"store": False, "previous_response_id": "resp_1"}, "previous_response_id"),
        (RESPONSES, {"store": False, "conversation": {"id": "conv_1"}}, "conversation"),
        (RESPONSES, {"store": False, "input": [{"id": "msg_1", "type": "item_reference"}]}, "input"),
        ("responses/input_tokens", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses/compact", {"previous_response_id": "resp_1"}, "previous_response_id"),
        (CHAT, {"store": True}, "store"),
        (ITEM, {}, None),
        (ITEM + "/cancel", {}, None),
        (ITEM + "/input_items", {}, None),
    ],
)
def test_what_stores_or_reads_the_stored_is_refused(route: str, body: dict[str, Any], param: str | None) -> None:
    with pytest.raises(ProxyError) as caught:
        check_store(route, members_of(**body))
    error = json.loads(caught.value.body)["error"]
    assert (error["code"], error["param"]) == ("storing_is_off", param)


# --- through the real proxy -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict() -> Iterator[Proxy]:
    limits = {"PROXY_MAX_OUTPUT_TOKENS": str(LIMIT), "PROXY_ALLOW_STORE": "false", "PROXY_MAX_BODY_MB": "0.001"}
    with proxy(settings=limits) as running:
        yield running


def ask(running: Proxy, method: str, route: str, **body: Any) -> httpx.Response:
    content = json.dumps({"model": "gpt-4o-mini", **body}) if body else None
    return httpx.request(method, f"{running.base_url}/{route}", content=content, headers=running.headers)


@pytest.mark.parametrize(
    ("method", "route", "body", "status", "code"),
    [
        ("POST", CHAT, {"messages": []}, 400, "too_many_output_tokens"),
        ("POST", CHAT, {"max_tokens": 10, "store": True}, 400, "storing_is_off"),
        ("POST", RESPONSES, {"max_output_tokens": 10, "input": "x"}, 400, "storing_is_off"),
        ("GET", "responses/resp_1", {}, 400, "storing_is_off"),
        ("DELETE", "responses/resp_1", {}, 400, "storing_is_off"),
        ("POST", "responses/resp_1/cancel", {}, 400, "storing_is_off"),
        ("GET", "responses/resp_1/input_items", {}, 400, "storing_is_off"),
        ("POST", CHAT, {"max_tokens": 10, "user": "x" * 1_000}, 413, "request_too_large"),
    ],
)
def test_a_refused_call_never_reaches_azure(
    strict: Proxy, method: str, route: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = ask(strict, method, route, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert strict.azure.journal.exchanges == []


def test_an_allowed_call_reaches_azure_as_it_is(strict: Proxy) -> None:
    body = {"model": "gpt-4o-mini", "input": "x", "store": False, "max_output_tokens": 10}
    assert ask(strict, "POST", RESPONSES, **body).status_code == 424, (
        "it reached the fake Azure, which has no recording"
    )
    assert json.loads(strict.azure.journal.exchanges[-1].body) == body
    strict.azure.reset()
