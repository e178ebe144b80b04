"""One record per call, with the right counts and nothing private."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from msgspec.structs import asdict

from proxy.excerpt import HEAD_BYTES, SLACK_BYTES, TAIL_BYTES, Excerpt
from proxy.fields import Fields
from tests.support import Arrived, Log, Proxy, RawUpstream, proxy, told

SALT = "a salt of its own"
PROMPT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a private prompt"}], "max_tokens": 9}
CHAT = {
    "choices": [{"finish_reason": "stop", "index": 0, "message": {"content": 'private "usage":{"total_tokens":1}'}}],
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-11-20",
    "object": "chat.completion",
    "usage": {
        "completion_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": 3},
        "prompt_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 5},
        "total_tokens": 18,
    },
}
EVENTS = [
    {"choices": [], "id": "", "model": "", "object": ""},
    {"choices": [{"delta": {"content": "private"}, "finish_reason": None, "index": 0}], "model": "m-1", "usage": None},
    {"choices": [{"delta": {}, "finish_reason": "length", "index": 0}], "model": "m-1", "usage": None},
]
USAGE = {"choices": [], "model": "m-1", "usage": CHAT["usage"]}
BEGUN = {"choices": [], "model": "m-1", "usage": {"completion_tokens": 0, "prompt_tokens": 11, "total_tokens": 11}}
RESPONSE = {
    "id": "resp_private",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "instructions": "private",
    "model": "gpt-4o-2024-11-20",
    "output": [{"id": "msg_1", "status": "incomplete", "content": [{"type": "output_text", "text": "private"}]}],
    "tools": [{"type": "function", "parameters": {"properties": {"usage": {"type": "object"}}}}],
    "usage": {
        "input_tokens": 21,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 16,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 37,
    },
    "metadata": {},
}
TOKENS = ("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
COUNTED = dict(zip(TOKENS, (11, 7, 18, 5, 3), strict=True))
COUNTED_RESPONSE = dict(zip(TOKENS, (21, 16, 37, 4, 2), strict=True))
UNKNOWN = dict.fromkeys(TOKENS)


def sse(*events: object, end: bytes = b"data: [DONE]\n\n") -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events) + end


def response_events(last: str, response: dict[str, Any]) -> bytes:
    begun = response | {"status": "in_progress", "incomplete_details": None, "usage": None}
    return sse({"type": "response.created", "response": begun}, {"type": last, "response": response}, end=b"")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("records") / "stderr")


@pytest.fixture(scope="module")
def behind(upstream: RawUpstream, log: Log) -> Iterator[Proxy]:
    """The proxy whose log the tests read."""
    salt = {"PROXY_KEY_SALT": SALT}
    with log.path.open("wb") as file, proxy(upstream.base, salt, verbose=True, log=file) as running:
        yield running


@pytest.fixture
def call(upstream: RawUpstream, behind: Proxy, log: Log) -> Callable[..., tuple[httpx.Response, dict[str, Any]]]:
    """Makes a call that the upstream answers with these bytes. Returns the answer and its record."""

    def make(
        body: bytes, kind: str = "application/json", status: int = 200, route: str = "chat/completions", **headers: str
    ) -> tuple[httpx.Response, dict[str, Any]]:
        named = {"content-type": kind, "content-length": str(len(body)), **headers}
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items()) + "\r\n"

        def answer(_: Arrived, sock: socket.socket) -> None:
            sock.sendall(head.encode() + body)

        upstream.answer = answer
        before = len(log.records())
        method = "GET" if "resp_" in route else "POST"
        content = json.dumps(PROMPT) if method == "POST" else None
        sent = behind.headers | {"x-client-request-id": "the caller's"}
        got = httpx.request(method, f"{behind.base_url}/{route}", content=content, headers=sent)
        assert got.content == (gzip.decompress(body) if "content-encoding" in headers else body), "nothing is changed"
        return got, log.last(before + 1)

    return make


Call = Callable[..., tuple[httpx.Response, dict[str, Any]]]


def part(record: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    return {field: record[field] for field in like}


def test_a_chat_is_counted(call: Call) -> None:
    answer = json.dumps(CHAT).encode()
    _, record = call(answer, **{"apim-request-id": "a-1", "x-request-id": "r-1"})
    assert tuple(record) == Fields.__struct_fields__
    assert part(record, COUNTED) == COUNTED
    expected = {
        "method": "POST",
        "route": "chat/completions",
        "model": "gpt-4o",
        "deployment": "my-4o-deployment",
        "model_served": "gpt-4o-2024-11-20",
        "status": 200,
        "outcome": "complete",
        "error": None,
        "finish_reason": "stop",
        "bytes_in": len(json.dumps(PROMPT)),
        "bytes_out": len(answer),
        "client_request_id": "the caller's",
        "request_id": "r-1",
        "azure_request_id": "a-1",
    }
    assert part(record, expected) == expected
    assert 0 < record["upstream_ms"] <= record["first_byte_ms"] <= record["duration_ms"] < 5_000
    assert 0 <= record["proxy_ms"] <= record["first_byte_ms"]


@pytest.mark.parametrize(
    ("body", "route", "tokens", "reason"),
    [
        (sse(*EVENTS, USAGE), "chat/completions", COUNTED, "length"),
        (sse(*EVENTS), "chat/completions", UNKNOWN, "length"),
        (sse(BEGUN, *EVENTS * 30, USAGE), "chat/completions", COUNTED, "length"),
        (response_events("response.incomplete", RESPONSE), "responses", COUNTED_RESPONSE, "max_output_tokens"),
        (
            response_events("response.completed", RESPONSE | {"status": "completed", "incomplete_details": None}),
            *("responses", COUNTED_RESPONSE, "completed"),
        ),
        (
            response_events("response.completed", RESPONSE | {"instructions": "private " * 50_000}),
            *("responses/resp_private?stream=true", COUNTED_RESPONSE, "max_output_tokens"),
        ),
    ],
)
def test_a_stream_is_counted_by_its_last_usage(
    call: Call, body: bytes, route: str, tokens: dict[str, Any], reason: str
) -> None:
    _, record = call(body, "text/event-stream; charset=utf-8", route=route)
    assert part(record, tokens) == tokens
    assert (record["outcome"], record["finish_reason"]) == ("complete", reason)


def test_a_response_is_counted_and_known_again_without_its_id(call: Call, log: Log) -> None:
    """A background job's tokens come with every poll. A sum of the tokens must see that the response is the same."""
    _, created = call(json.dumps(RESPONSE | {"status": "queued", "usage": None}).encode(), route="responses")
    _, polled = call(json.dumps(RESPONSE, indent=2).encode(), route="responses/resp_private")
    assert part(created, UNKNOWN) == UNKNOWN
    assert part(polled, COUNTED_RESPONSE) == COUNTED_RESPONSE
    assert created["response"] == polled["response"]
    assert polled["route"] == "responses/{response_id}"
    assert "resp_private" not in log.text()


def test_a_compressed_answer_is_counted(call: Call) -> None:
    _, record = call(gzip.compress(json.dumps(CHAT).encode()), **{"content-encoding": "gzip"})
    assert part(record, COUNTED) == COUNTED


def test_the_caller_is_told_the_same_times(call: Call) -> None:
    answer, record = call(json.dumps(CHAT).encode())
    assert answer.headers["server-timing"] == f"upstream;dur={record['upstream_ms']}, proxy;dur={record['proxy_ms']}"


def test_embeddings_are_counted(call: Call) -> None:
    vectors = [{"embedding": [0.123456] * 1_500, "index": 0}] * 4
    answer = {"data": vectors, "model": "e-1", "usage": {"prompt_tokens": 4, "total_tokens": 4}}
    _, record = call(json.dumps(answer).encode(), route="embeddings")
    assert part(record, UNKNOWN) == UNKNOWN | {"input_tokens": 4, "total_tokens": 4}
    assert record["model_served"] == "e-1"


def test_an_error_of_azures_is_named(call: Call) -> None:
    body = b'{"error":{"code":"RateLimitReached","message": "a private message"}}'
    _, record = call(body, status=429)
    expected = {"status": 429, "error": "RateLimitReached", "outcome": "complete", **UNKNOWN}
    assert part(record, expected) == expected


def test_an_error_of_the_proxys_own_is_named(behind: Proxy, log: Log) -> None:
    before = len(log.records())
    answer = httpx.post(f"{behind.base_url}/chat/completions", content=b'{"model":"x"}', headers=behind.headers)
    record = log.last(before + 1)
    expected = {"status": 404, "error": "model_not_found", "bytes_out": len(answer.content), **UNKNOWN}
    assert part(record, expected) == expected
    assert record["request_id"] == answer.headers["x-request-id"]


def test_a_caller_that_leaves_is_recorded_with_what_it_got(upstream: RawUpstream, behind: Proxy, log: Log) -> None:
    events = sse(*EVENTS, end=b"")
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999\r\n\r\n"
    upstream.answer = lambda _, sock: sock.sendall(head + events)
    before = len(log.records())
    url = f"{behind.base_url}/chat/completions"
    with httpx.stream("POST", url, json=PROMPT, headers=behind.headers) as answer:
        received = b""
        for chunk in answer.iter_raw():
            received += chunk
            if len(received) == len(events):
                break
    record = log.last(before + 1)
    expected = {"status": 200, "outcome": "caller_left", "bytes_out": len(events), **UNKNOWN}
    assert part(record, expected) == expected


def test_a_broken_stream_is_recorded_as_broken(upstream: RawUpstream, behind: Proxy, log: Log) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n"
    events = sse(*EVENTS, end=b"")
    upstream.answer = lambda _, sock: sock.sendall(head % len(events) + events)
    before = len(log.records())
    with pytest.raises(httpx.ReadError):
        httpx.post(f"{behind.base_url}/chat/completions", json=PROMPT, headers=behind.headers)
    assert log.last(before + 1)["outcome"] == "upstream_stream_broken"


def test_nothing_secret_or_private_is_logged(call: Call, behind: Proxy, log: Log) -> None:
    before = len(log.records())
    call(json.dumps(CHAT).encode(), route="chat/completions?code=query-secret&q=a-query")
    call(sse(*EVENTS, USAGE), "text/event-stream")
    call(response_events("response.completed", RESPONSE), "text/event-stream", route="responses")
    call(b'{"error":{"code":"x","message":"private"}}', status=400)
    for odd in (b'{"model":', b'{"model":"a private model"}', b'{"private":1}{'):
        httpx.post(f"{behind.base_url}/chat/completions", content=odd, headers=behind.headers)
    httpx.get(f"{behind.base_url}/v1/responses/resp_mistyped?q=a-query", headers=behind.headers)
    assert log.last(before + 8)["path"] == "/api/v1/v1/responses/*"
    for secret in ("test-key", "query-secret", "a-query", "private", "Bearer", "eyJ", SALT, "resp_"):
        assert secret not in log.text()


def test_a_key_is_known_again_wherever_it_stands(call: Call, behind: Proxy, log: Log) -> None:
    _, by_header = call(b"{}")
    before = len(log.records())
    httpx.get(f"{behind.base_url}/models?code=test-key")
    assert log.last(before + 1)["key"] == by_header["key"]
    assert by_header["key"]


@pytest.mark.parametrize("size", [1, 100, 70_000])
def test_a_huge_answer_costs_little_memory_and_is_still_counted(size: int) -> None:
    answer = json.dumps(RESPONSE | {"output": ["private " * 20_000]}, indent=2).encode()
    excerpt = Excerpt()
    for at in range(0, len(answer), size):
        excerpt.add(answer[at : at + size])
        assert len(excerpt.tail) <= TAIL_BYTES + SLACK_BYTES
    assert answer.endswith(excerpt.tail)
    assert len(excerpt.tail) >= TAIL_BYTES
    assert len(excerpt.head) == HEAD_BYTES
    assert part(asdict(told(excerpt)), COUNTED_RESPONSE) == COUNTED_RESPONSE
    assert told(excerpt).finish_reason == "max_output_tokens"
