"""Somebody with one good key tries to get more than its budget, through the real proxy. Azure's part counts tokens as
Azure does, and tells them only where Azure tells them."""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from proxy import accounts
from proxy.accounts import Accounts
from proxy.charge import Charge
from proxy.errors import ProxyError
from proxy.fields import Fields
from proxy.keys import Key
from proxy.model import choose_deployment
from proxy.settings import Settings
from proxy.tally import Counts, Tally
from tests.keys.signing import key, key_text, keys_url
from tests.keys.test_charged_calls import DONE, EVENT, JSON, SSE, settled, usage
from tests.support import Arrived, Proxy, RawUpstream, sending

LEFT = 5_000
ANSWER = json.dumps({"usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}}).encode()
CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": []}


def post(proxy: Proxy, key: str, route: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = keys_url(proxy).removesuffix("/v1") + f"/{route}"
    return httpx.post(url, headers={"authorization": f"Bearer {key}", **headers}, content=content, timeout=20)


def reserved_by(proxy: Proxy, upstream: RawUpstream, name: str, ask: Callable[[str], object]) -> int:
    """What a call has reserved while Azure works on it."""
    text, seen, done = key_text(name), threading.Event(), threading.Event()

    def answer(arrived: Arrived, sock: socket.socket) -> None:
        seen.set()
        done.wait(10)
        sending(ANSWER, JSON)(arrived, sock)

    upstream.answer = answer
    thread = threading.Thread(target=ask, args=(text,))
    thread.start()
    try:
        assert seen.wait(10)
        return int(usage(proxy, text)["today"]["reserved_tokens"])
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("name", "route", "body", "least"),
    [
        ("no limit", "v1/chat/completions", CHAT, 1_000),
        ("null", "v1/chat/completions", CHAT | {"max_tokens": None}, 1_000),
        ("nothing", "v1/chat/completions", CHAT | {"max_tokens": 0}, 1_000),
        ("less", "v1/chat/completions", CHAT | {"max_completion_tokens": -7}, 1_000),
        ("another route's limit", "v1/chat/completions", CHAT | {"max_output_tokens": 1}, 1_000),
        ("many answers", "v1/chat/completions", CHAT | {"n": 128}, 128_000),
        ("many short answers", "v1/chat/completions", CHAT | {"n": 128, "max_tokens": 16}, 2_048),
        ("two limits", "v1/chat/completions", CHAT | {"max_tokens": 1, "max_completion_tokens": 800}, 800),
        ("huge", "v1/responses", {"input": "x", "store": False, "max_output_tokens": 1e300}, 1_000_000),
        ("vectors", "v1/embeddings", {"model": "gpt-4o", "input": ["word " * 100] * 40}, 5_000),
        ("vectors of numbers", "v1/embeddings", {"model": "gpt-4o", "input": [[7] * 2_000] * 2}, 4_000),
        ("an alias", "openai/deployments/gpt-4o/chat/completions?api-version=x", CHAT | {"n": 9}, 9_000),
        ("another alias", "openai/v1/chat/completions", CHAT | {"n": 9}, 9_000),
        (
            "text like data",
            "v1/chat/completions",
            CHAT | {"messages": [{"content": ";base64," + "A" * 40_000}]},
            10_000,
        ),
        ("quoted", "v1/chat/completions", CHAT | {"messages": [{"content": '"url":"' + "A" * 40_000}]}, 10_000),
    ],
)
def test_no_body_reserves_too_little(
    signed: Proxy, upstream: RawUpstream, name: str, route: str, body: dict[str, Any], least: int
) -> None:
    assert reserved_by(signed, upstream, name, lambda text: post(signed, text, route, body)) >= least


def test_a_compressed_body_reserves_what_it_holds(signed: Proxy, upstream: RawUpstream) -> None:
    body = gzip.compress(json.dumps(CHAT | {"messages": [{"content": "word " * 8_000}]}).encode())
    assert len(body) < 1_000
    coded = {"content-encoding": "gzip"}
    reserved = reserved_by(signed, upstream, "gz", lambda key: post(signed, key, "v1/chat/completions", body, **coded))
    assert reserved >= 11_000


def test_who_goes_on_after_a_429_gets_nothing(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(ANSWER, JSON)
    text = key_text("stubborn", tokens_a_day=25)
    post(signed, text, "v1/chat/completions", CHAT)
    settled(signed, text, 1)
    upstream.arrived.clear()
    routes = ("v1", "openai/v1", "openai/deployments/gpt-4o")
    answers = [post(signed, text, f"{route}/chat/completions", CHAT) for route in routes for _ in range(5)]
    assert {answer.status_code for answer in answers} == {429}
    assert post(signed, text, "v1/embeddings", {"model": "gpt-4o", "input": "x"}).status_code == 429
    assert upstream.arrived == []


def test_streams_left_at_once_are_charged_until_nothing_is_left(signed: Proxy, upstream: RawUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999\r\n\r\n"
    upstream.answer = lambda _, sock: sock.sendall(head + EVENT * 20)
    text = key_text("leaves", tokens_a_day=LEFT)
    headers, url = {"authorization": f"Bearer {text}"}, f"{keys_url(signed)}/chat/completions"
    body = CHAT | {"stream": True, "messages": [{"role": "user", "content": "word " * 400}]}
    for calls in range(1, 40):
        with httpx.stream("POST", url, headers=headers, json=body) as answer:
            if answer.status_code == 429:
                break
            next(answer.iter_raw())
        settled(signed, text, calls)
    told = usage(signed, text)["today"]
    assert LEFT <= told["total_tokens"] <= LEFT + 600
    assert told["requests"] == told["estimated"] >= 9


def test_an_answer_that_nobody_waits_for_is_charged_by_its_time(signed: Proxy, upstream: RawUpstream) -> None:
    """Azure works on it, and may not notice that its caller left."""
    gone = threading.Event()
    upstream.answer = lambda _, sock: (gone.wait(10), sock.close())
    text = key_text("impatient")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{keys_url(signed)}/chat/completions", headers={"authorization": f"Bearer {text}"}, json=CHAT, timeout=1.0
        )
    told = settled(signed, text, 1)
    gone.set()
    assert 40 <= told["output_tokens"] <= 200
    assert told["estimated"] == 1


def test_usage_that_metadata_hides_is_charged_as_reserved(signed: Proxy, upstream: RawUpstream) -> None:
    hidden = {"usage": {"total_tokens": 30}, "metadata": {f"k{number}": "é" * 512 for number in range(16)}}
    upstream.answer = sending(json.dumps({"id": "resp_1", "output": "x" * 9_000, **hidden}).encode(), JSON)
    text = key_text("hides")
    body = {"model": "gpt-4o", "input": "x", "store": False, "max_output_tokens": 60_000}
    assert post(signed, text, "v1/responses", body).status_code == 200
    assert settled(signed, text, 1)["output_tokens"] == 60_000


def test_routes_that_ask_no_model_are_held_by_the_minute(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(b'{"input_tokens":5}', JSON)
    text = key_text("polls", tokens_a_day=1, requests_a_minute=5)
    answers = [post(signed, text, "v1/responses/input_tokens", {"model": "gpt-4o", "input": "x"}) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2


def test_a_stream_without_usage_ends_a_budget_too(signed: Proxy, upstream: RawUpstream) -> None:
    upstream.answer = sending(EVENT * 300 + DONE, SSE)
    text, calls = key_text("silent", tokens_a_day=1_000), 0
    while post(signed, text, "v1/chat/completions", CHAT | {"stream": True}).status_code == 200:
        calls += 1
        settled(signed, text, calls)
        assert calls < 9
    assert calls == 4


# --- stored responses, which need a table -----------------------------------------------------------------------------


class Table:
    """A table without other instances. It knows one response of Bob's."""

    def __init__(self, connect: object) -> None:
        pass

    async def write(self, tally: Tally) -> None:
        pass

    async def read(self, tally: Tally) -> tuple[Counts, Counts]:
        return tally.own.both(Counts()), Counts()

    async def write_owner(self, digest: str, key_id: str) -> None:
        pass

    async def owner(self, digest: str) -> str | None:
        return "id-Bob"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    monkeypatch.setattr(accounts, "UsageTable", Table)
    return Accounts(Settings.from_env({"PROXY_USAGE_TABLE": "https://account.table.core.windows.net/usage"}))


async def charge(shared: Accounts, one: Key, **body: Any) -> Charge:
    text = json.dumps({"model": "m", "input": "x", **body}).encode()
    asked = choose_deployment(text, {"m": "m"}, required=True, in_path=False)
    return await shared.charge(one, "responses", {}, text, asked)


@pytest.mark.anyio
@pytest.mark.parametrize("limits", [{"tokens_a_day": LEFT}, {"tokens_a_minute": LEFT}])
async def test_a_response_in_the_background_counts_as_its_limit_and_needs_one(
    shared: Accounts, limits: dict[str, int]
) -> None:
    """Azure tells its tokens to whoever asks for it later, which may be nobody."""
    for named in ({}, {"max_output_tokens": None}, {"max_output_tokens": 0}, {"max_tokens": 9}):
        with pytest.raises(ProxyError) as refused:
            await charge(shared, key(**limits), background=True, **named)
        assert (refused.value.code, refused.value.status) == ("background_needs_limit", 400)
    (await charge(shared, key(**limits), background=True, max_output_tokens=700)).settle(
        Fields("POST", "responses", status=200, outcome="complete", bytes_out=300)
    )
    assert shared.usage(key(**limits))["today"]["output_tokens"] == 700
    await charge(shared, key("without a budget"), background=True)


@pytest.mark.anyio
async def test_a_compaction_in_the_background_is_refused(shared: Accounts) -> None:
    """No member of its body limits its output."""
    text = b'{"model":"m","background":true}'
    asked = choose_deployment(text, {"m": "m"}, required=True, in_path=False)
    with pytest.raises(ProxyError) as refused:
        await shared.charge(key(tokens_a_day=LEFT), "responses/compact", {}, text, asked)
    assert refused.value.code == "background_needs_limit"


@pytest.mark.anyio
async def test_what_a_call_continues_is_its_input(shared: Accounts) -> None:
    first = await charge(shared, key(), max_output_tokens=10)
    told = Fields("POST", "responses", status=200, outcome="complete", input_tokens=8_000, output_tokens=1_000)
    told.total_tokens = 9_000
    first.settle(told, response_id="resp_1")
    second = await charge(shared, key(), previous_response_id="resp_1", max_output_tokens=10)
    assert second.asked
    assert second.asked.input_tokens >= 9_000
    second.settle(Fields("POST", "responses", status=200, outcome="caller_left", bytes_out=40))
    assert shared.usage(key())["today"]["input_tokens"] >= 17_000


@pytest.mark.anyio
async def test_what_another_instance_made_counts_as_the_keys_average_input(shared: Accounts) -> None:
    told = Fields("POST", "responses", status=200, outcome="complete", input_tokens=8_000, total_tokens=8_000)
    (await charge(shared, key("Bob"))).settle(told)
    continuing = await charge(shared, key("Bob"), previous_response_id="resp_of_bob")
    assert continuing.asked
    assert continuing.asked.input_tokens >= 8_000


@pytest.mark.anyio
async def test_looking_for_others_responses_takes_of_the_minute_and_holds_nothing(shared: Accounts) -> None:
    eve = key("Eve", tokens_a_day=LEFT, requests_a_minute=3)
    codes = []
    for number in range(5):
        with pytest.raises(ProxyError) as refused:
            await charge(shared, eve, previous_response_id=f"resp_{number}")
        codes.append(refused.value.code)
    assert codes == ["response_not_yours"] * 3 + ["key_minute_used_up"] * 2
    today = shared.usage(eve)["today"]
    assert (today["requests"], today["total_tokens"], today["reserved_tokens"]) == (0, 0, 0)
