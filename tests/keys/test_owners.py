"""Only its own key reads, continues, cancels or deletes a stored response, whatever the id."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.match.library import Library
from emulator.server import bind, serving
from proxy import owners
from proxy.accounts import Accounts
from proxy.errors import ProxyError
from proxy.media import CONTAINER_FILE
from proxy.model import Asked, choose_deployment
from proxy.owners import Owners, named
from proxy.settings import Settings
from tests.keys.azurite import Azurite, azurite
from tests.keys.instance import Instance, instance
from tests.keys.signing import key, key_text
from tests.support import Arrived, RawUpstream, raw_upstream, sending

JSON = b"content-type: application/json"
NOT_YOURS = (404, "response_not_yours")
ADA, BOB = key("Ada"), key("Bob")


def used(path: dict[str, str], body: str) -> list[str]:
    members = choose_deployment(body.encode(), {"m": "m"}, required=False, in_path=False).members
    return named(path, members)


@pytest.mark.parametrize(
    ("path", "body", "ids"),
    [
        ({"response_id": "resp_1"}, "{}", ["resp_1"]),
        ({"deployment": "m"}, "{}", []),
        ({}, '{"previous_response_id":"resp_1"}', ["resp_1"]),
        ({}, '{"previous_response_id":"resp_1","previous_response_id":"resp_2"}', ["resp_1", "resp_2"]),
        ({}, r'{"previous_response\u005fid":"resp\u005f1"}', ["resp_1"]),
        ({}, '{"previous_response_id":null,"input":"item_reference"}', []),
        ({}, '{"input":[{"role":"user","content":"x"},{"type":"message","id":"msg_1","role":"user"}]}', []),
        ({}, '{"input":[{"type":"function_call_output","id":"fc_1","output":"x"}]}', []),
        ({}, '{"tools":[{"type":"code_interpreter","container":{"type":"auto"}},{"type":"function"}]}', []),
    ],
)
def test_every_response_that_a_call_uses_is_looked_at(path: dict[str, str], body: str, ids: list[str]) -> None:
    assert used(path, body) == ids


@pytest.mark.parametrize(
    "body",
    [
        '{"conversation":"conv_1"}',
        '{"conversation":{"id":"conv_1"}}',
        '{"input":[{"type":"item_reference","id":"msg_1"}]}',
        '{"input":[{"id":"msg_1"}]}',
        '{"input":[{"id":"msg_1","type":null}]}',
        '{"input":[{"type":"message","type":"item_reference","id":"msg_1"}]}',
        '{"input":"x","input":[{"id":"msg_1"}]}',
        '{"tools":[{"type":"web_search"},{"type":"code_interpreter","container":"cntr_1"}]}',
        '{"tools":[{"type":"code_interpreter","container":{"type":"auto"},"container":"cntr_1"}]}',
    ],
)
def test_what_has_no_owner_is_refused(body: str) -> None:
    with pytest.raises(ProxyError) as refused:
        used({}, body)
    assert refused.value.code == "owner_not_kept"


class Rows:
    """A table that several instances share."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.away, self.asked = False, 0

    async def write_owner(self, digest: str, key_id: str) -> None:
        if self.away:
            raise OSError("nobody listens")
        self.rows.setdefault(digest, key_id)

    async def owner(self, digest: str) -> str | None:
        self.asked += 1
        if self.away:
            raise OSError("nobody listens")
        return self.rows.get(digest)


@pytest.mark.anyio
async def test_an_owner_is_known_to_every_instance_and_to_the_table_by_no_id() -> None:
    rows = Rows()
    first, second = Owners(rows), Owners(rows)
    first.note(ADA, "resp_secret")
    await second.require(["resp_secret"], ADA)
    with pytest.raises(ProxyError) as refused:
        await second.require(["resp_secret"], BOB)
    assert refused.value.code == "response_not_yours"
    assert "resp_secret" not in str(rows.rows)


@pytest.mark.anyio
async def test_one_that_is_being_written_is_waited_for_and_its_maker_never_asks() -> None:
    rows = Rows()
    first, second = Owners(rows), Owners(rows)
    waiting = asyncio.create_task(second.require(["resp_1"], ADA))
    await asyncio.sleep(0.1)
    first.note(ADA, "resp_1")
    await waiting
    asked = rows.asked
    await first.require(["resp_1"], ADA)
    assert rows.asked == asked


@pytest.mark.anyio
async def test_without_the_table_nobody_gets_what_another_instance_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "ATTEMPT_SECONDS", 0.05)
    rows = Rows()
    first, second = Owners(rows), Owners(rows)
    rows.away = True
    began = time.monotonic()
    first.note(ADA, "resp_1")
    await first.require(["resp_1"], ADA)
    assert time.monotonic() - began < 0.04, "who creates one never waits"
    with pytest.raises(ProxyError) as refused:
        await second.require(["resp_1"], ADA)
    assert (refused.value.code, refused.value.status) == ("owner_unknown", 503)
    rows.away = False
    await asyncio.sleep(0.1)
    await second.require(["resp_1"], ADA)


@pytest.mark.anyio
async def test_no_key_reads_a_file_of_a_container_also_with_a_table() -> None:
    accounts = Accounts(Settings.from_env({"PROXY_USAGE_TABLE": "https://account.table.core.windows.net/usage"}))
    with pytest.raises(ProxyError) as refused:
        await accounts.charge(
            ADA, CONTAINER_FILE, {"container_id": "c", "file_id": "f"}, b"", Asked(None, None, b"", ())
        )
    assert (refused.value.code, refused.value.status) == ("container_owner_not_kept", 403)


# --- the real proxy and Azurite ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables() -> Iterator[Azurite]:
    with azurite() as running:
        yield running


@pytest.fixture(scope="module")
def upstream() -> Iterator[RawUpstream]:
    with raw_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def two(tables: Azurite, upstream: RawUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Instance]]:
    fake, folder = FakeAzure(Library()), tmp_path_factory.mktemp("two")
    with ExitStack() as running:
        base = running.enter_context(serving(fake, bind(0)))
        identity = {"IDENTITY_ENDPOINT": base + IDENTITY_PATH, "IDENTITY_HEADER": fake.identity.header}
        yield [
            running.enter_context(instance(upstream.base, identity, tables.connection_string, folder / str(number)))
            for number in range(2)
        ]


def call(method: str, one: Instance, route: str, name: str, **body: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {key_text(name)}"}
    content = json.dumps({"model": "gpt-4o", **body}) if body else None
    return httpx.request(method, f"{one.keys_url}/{route}", headers=headers, content=content, timeout=20)


def test_a_response_is_read_and_continued_by_its_maker_alone(two: list[Instance], upstream: RawUpstream) -> None:
    answer = json.dumps({"id": "resp_ada", "status": "completed", "usage": {"total_tokens": 3}}).encode()
    upstream.answer = sending(answer, JSON)
    assert call("POST", two[0], "responses", "Ada", input="x").content == answer
    for one in two:
        assert call("GET", one, "responses/resp_ada", "Ada").content == answer
        assert call("POST", one, "responses", "Ada", input="x", previous_response_id="resp_ada").content == answer
    upstream.arrived.clear()
    for one in two:
        refused = [
            *(call(method, one, "responses/resp_ada", "Bob") for method in ("GET", "DELETE")),
            call("GET", one, "responses/resp_ada/input_items", "Bob"),
            call("POST", one, "responses/resp_ada/cancel", "Bob"),
            call("GET", one, "../openai/responses/resp_ada?api-version=2025-04-01-preview", "Bob"),
            call("POST", one, "responses", "Bob", input="x", previous_response_id="resp_ada"),
        ]
        assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [NOT_YOURS] * 6
    assert upstream.arrived == []


def test_nobody_can_claim_what_another_has_made(two: list[Instance], upstream: RawUpstream) -> None:
    """A body may hold another key's id in a place that Azure repeats in its answer. That claims nothing."""
    upstream.answer = sending(json.dumps({"id": "resp_first"}).encode(), JSON)
    call("POST", two[0], "responses", "Ada", input="x")
    assert call("GET", two[1], "responses/resp_first", "Ada").status_code == 200
    answer = {"id": "resp_bob", "metadata": {"id": "resp_first"}, "instructions": '"id":"resp_first"'}
    upstream.answer = sending(json.dumps(answer).encode(), JSON)
    call("POST", two[1], "responses", "Bob", input="x")
    for one in two:
        assert call("GET", one, "responses/resp_first", "Bob").status_code == 404


def test_a_response_can_be_asked_for_while_it_streams(two: list[Instance], upstream: RawUpstream) -> None:
    begun = b'data: {"type":"response.created","response":{"id":"resp_streamed","status":"in_progress"}}\n\n'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999\r\n\r\n"

    def answer(arrived: Arrived, sock: socket.socket) -> None:
        if arrived.line.startswith("POST"):
            sock.sendall(head + begun)
        else:
            sending(b'{"id":"resp_streamed"}', JSON)(arrived, sock)

    upstream.answer = answer
    headers = {"authorization": f"Bearer {key_text('Ada')}"}
    body = {"model": "gpt-4o", "input": "x", "stream": True, "background": True}
    with httpx.stream("POST", f"{two[0].keys_url}/responses", headers=headers, json=body) as streamed:
        assert next(streamed.iter_raw()) == begun
        assert call("GET", two[1], "responses/resp_streamed", "Ada").status_code == 200
        assert call("GET", two[1], "responses/resp_streamed", "Bob").status_code == 404


def test_the_logs_have_no_id_and_no_key(two: list[Instance], upstream: RawUpstream) -> None:
    for one in two:
        text = one.log.read_text()
        assert "call {" in text
        for secret in ("resp_ada", "resp_first", "sk-", "AccountKey", "Bearer"):
            assert secret not in text
