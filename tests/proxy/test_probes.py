"""Programs probe before they call: HEAD, a WebSocket, a base URL that is slightly wrong."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from proxy.path import masked
from tests.support import Log, Proxy, RawUpstream, sending

PASSING = {"date", "server-timing", "x-request-id"}


def headers_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in PASSING}


@pytest.mark.parametrize("path", ["models", "models/gpt-4o", "models/nothing"])
def test_head_is_get_without_a_body(behind: Proxy, path: str) -> None:
    got = httpx.get(f"{behind.base_url}/{path}", headers=behind.headers)
    head = httpx.head(f"{behind.base_url}/{path}", headers=behind.headers)
    assert (head.status_code, headers_of(head), head.content) == (got.status_code, headers_of(got), b"")
    assert int(head.headers["content-length"]) == len(got.content)


@pytest.mark.parametrize(
    "path", ["responses/resp_1", "responses/resp_1/input_items?limit=1", "responses/resp_1?stream=true"]
)
@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
def test_head_asks_azure_for_what_get_would(
    upstream: RawUpstream, logged: Proxy, log: Log, path: str, kind: bytes
) -> None:
    upstream.answer, upstream.arrived = sending(b'{"id":"resp_1"}', b"content-type: " + kind, b"x-ms-region: here"), []
    head = httpx.head(f"{logged.base_url}/{path}", headers=logged.headers | {"x-client-request-id": "a head"})
    record = log.of("a head")
    assert (head.status_code, head.headers["x-ms-region"], head.content) == (200, "here", b"")
    assert upstream.arrived[0].line == f"GET /openai/v1/{path} HTTP/1.1"
    assert (record["method"], record["outcome"], record["bytes_out"]) == ("HEAD", "complete", 0)


@pytest.mark.parametrize("path", ["models", "responses/resp_1"])
def test_nothing_follows_the_answer_to_head(upstream: RawUpstream, behind: Proxy, path: str) -> None:
    upstream.answer = sending(b"{}")
    address = urlsplit(behind.base_url)
    asked = f"HEAD {address.path}/{path} HTTP/1.1\r\nhost: x\r\nx-functions-key: test-key\r\n"
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as sock:
        sock.sendall((asked + "\r\n" + asked + "connection: close\r\n\r\n").encode())
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert [part[:13] for part in received.split(b"\r\n\r\n")] == [b"HTTP/1.1 200 "] * 2 + [b""]


def test_head_of_what_is_not_there_is_a_404(behind: Proxy) -> None:
    assert httpx.head(f"{behind.base_url}/nothing", headers=behind.headers).status_code == 404
    assert httpx.head(f"{behind.base_url}/chat/completions", headers=behind.headers).status_code == 404


@pytest.mark.parametrize("wanted", ["websocket", "WebSocket"])
@pytest.mark.parametrize("path", ["responses", "responses/resp_1", "models", "realtime", "v1/responses"])
def test_a_websocket_is_a_426_that_says_what_to_do(behind: Proxy, path: str, wanted: str) -> None:
    upgrade = {"connection": "Upgrade", "upgrade": wanted, "sec-websocket-version": "13"}
    upgrade["sec-websocket-key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    answer = httpx.get(f"{behind.base_url}/{path}", headers=behind.headers | upgrade)
    assert (answer.status_code, answer.json()["error"]["code"]) == (426, "websocket_not_served")


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("v1/v1/chat/completions", "/v1 twice"),
        ("v1/api/v1/responses", "/api twice and /v1 twice"),
        ("api/v1/responses", "/api twice"),
        ("v1/chat/completions//", "a doubled slash"),
        ("v1//chat/completions", "a doubled slash"),
        ("v1/chat//completions", "a doubled slash"),
        ("v1//v1/chat/completions", "a doubled slash and /v1 twice"),
        ("chat/completions", "no /v1"),
        ("openai/deployments/x/completions", "no /v1"),
    ],
)
def test_a_404_names_what_is_wrong_with_the_path(behind: Proxy, path: str, named: str) -> None:
    answer = httpx.post(f"{behind.base_url.removesuffix('/v1')}/{path}", json={}, headers=behind.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["v1/files", "v1/chat", "v1/responses/resp_1/other"])
def test_a_path_that_is_only_unknown_is_not_called_mistyped(behind: Proxy, path: str) -> None:
    answer = httpx.post(f"{behind.base_url.removesuffix('/v1')}/{path}", json={}, headers=behind.headers)
    assert "(with" not in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "noted"),
    [
        ("/api/v1/v1/responses/resp_abc", "/api/v1/v1/responses/*"),
        ("/api/v1//Responses/resp_abc/cancel", "/api/v1//Responses/*/cancel"),
        ("/api/v1/threads/thread_1/messages/msg_2", "/api/v1/threads/*/messages/*"),
        ("/api/v1/responses%2Fresp_abc", "/api/v1/*"),
        ("/api/v1/resp_abc" + "/files" * 99, ("/api/v1/*" + "/files" * 99)[:200]),
    ],
)
def test_an_id_in_a_mistyped_path_is_not_noted(path: str, noted: str) -> None:
    assert masked(path) == noted


@pytest.mark.parametrize("path", ["v1/v1/responses/resp_abc", "v1//responses/resp_abc", "responses%2Fresp_abc"])
def test_an_id_in_a_mistyped_path_is_not_in_the_log(logged: Proxy, log: Log, path: str) -> None:
    headers = logged.headers | {"x-client-request-id": f"mistyped {len(path)}"}
    httpx.get(f"{logged.base_url.removesuffix('/v1')}/{path}", headers=headers)
    assert "*" in log.of(f"mistyped {len(path)}")["path"]
    assert "resp_abc" not in log.text()
