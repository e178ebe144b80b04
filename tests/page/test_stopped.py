"""Calls that end at the proxy: they never reach the fake Azure, and are rows all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.azure.stopped import CALL_HEADER
from emulator.bundle import CASSETTES
from emulator.host.calls import HEADER
from emulator.page import command
from emulator.scrub.header import with_kept_headers
from emulator.stack import LocalStack
from tests.support import recording

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is a proxy, in one sentence?"}]}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    started = LocalStack(notes_stopped=True, settings={"PROXY_MAX_BODY_MB": "1"})
    with started as stack, command.inside(stack, [Path(CASSETTES)], True):
        yield stack


def rows(stack: LocalStack) -> list[dict[str, Any]]:
    return list(httpx.get(f"{stack.azure_base}/_emulator/calls").json()["calls"])


def ask(stack: LocalStack, path: str = "chat/completions", key: bool = True, **options: Any) -> httpx.Response:
    headers = {"x-functions-key": stack.function_key} if key else {}
    return httpx.post(f"{stack.base_url}/{path}", headers=headers | options.pop("headers", {}), **options)


@pytest.mark.parametrize(
    ("status", "code", "advice", "call"),
    [
        (401, None, "send it as `x-functions-key`", {"key": False, "json": BODY}),
        (400, "invalid_json", "not one JSON object", {"content": b"{"}),
        (404, "not_found", "the base URL ends in", {"path": "v1/chat/completions", "json": BODY}),
        (404, "model_not_found", "lists the models", {"json": BODY | {"model": "nobody"}}),
        (413, "request_too_large", "PROXY_MAX_BODY_MB", {"content": b" " * 1_100_000}),
    ],
)
def test_what_stops_at_the_proxy_is_a_row_with_what_to_do(
    stack: LocalStack, status: int, code: str | None, advice: str, call: dict[str, Any]
) -> None:
    stack.azure.reset()
    answer = ask(stack, **call)
    assert answer.status_code == status
    stack.azure.journal.wait_for(lambda exchanges: len(exchanges) == 1)
    (row,) = rows(stack)
    assert (row["status"], row["stopped"]["code"], row["method"]) == (status, code, "POST")
    assert advice in row["stopped"]["advice"]
    assert row["target"].startswith("/api/v1/")
    assert row["call"] > 0
    if code:
        assert row["stopped"]["message"] == answer.json()["error"]["message"]
    whole = httpx.get(f"{stack.azure_base}/_emulator/calls/{row['number']}").json()
    assert (whole["headers"], whole["body"]) == ([], "")


def test_what_reaches_the_fake_azure_is_one_row_whatever_comes_of_it(stack: LocalStack) -> None:
    stack.azure.reset()
    assert ask(stack, json=BODY, headers={CALL_HEADER: "7"}).status_code == 200
    assert ask(stack, json=BODY | {"seed": 5}).status_code == 424
    assert ask(stack, key=False, json=BODY).status_code == 401
    stack.azure.journal.wait_for(lambda exchanges: len(exchanges) == 3)
    told = rows(stack)
    assert [row["stopped"] is not None for row in told] == [False, False, True]
    first, second, third = (row["call"] for row in told)
    assert (second, third) == (first + 1, first + 2), "the host's own numbers, whatever a client sends"


def test_no_key_is_in_such_a_row(stack: LocalStack) -> None:
    stack.azure.reset()
    for query in ("code=made-up-key", "C%4fDE=made-up-key"):
        httpx.post(f"{stack.base_url}/nothing?{query}", headers={"authorization": "Bearer made-up-key"}, json=BODY)
    stack.azure.journal.wait_for(lambda exchanges: len(exchanges) == 2)
    assert "made-up-key" not in str(rows(stack))


def test_without_a_page_the_host_adds_nothing(aoai_emulator_server: LocalStack) -> None:
    aoai_emulator_server.azure.reset()
    assert ask(aoai_emulator_server, json=BODY).status_code == 200
    assert ask(aoai_emulator_server, key=False, json=BODY).status_code == 401
    (exchange,) = aoai_emulator_server.azure.journal.exchanges
    assert exchange.header(CALL_HEADER) is None


def test_no_recording_keeps_the_number() -> None:
    assert HEADER.decode() == CALL_HEADER
    taken = recording(b"{}", b"{}")
    request = type(taken.request)("POST", taken.request.uri, ((CALL_HEADER, "7"),), b"{}")
    kept = with_kept_headers(type(taken)(request, taken.response, ""))
    assert kept.request.headers == ()
