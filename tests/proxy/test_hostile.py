"""Whatever arrives, the function answers soon, leaks nothing, calls no other address than Azure's, and lives on."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support import Proxy, proxy

SECONDS = 5.0
KEY = b"x-functions-key: test-key\r\n"
GET = b"GET /api/v1/models HTTP/1.1\r\n"
POST = b"POST /api/v1/responses HTTP/1.1\r\nhost: x\r\n" + KEY

REQUESTS = {  # oddity: (the request, the allowed statuses)
    "path that is no UTF-8": (b"GET /api/v1/\xff\xfe HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (400,)),
    "model that is no UTF-8": (b"GET /api/v1/models/%ff%00 HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (400,)),
    "model with a line break": (b"GET /api/v1/models/a%0Ab HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (404,)),
    "a WebSocket": (
        GET + b"host: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n" + KEY + b"\r\n",
        (426,),
    ),
    "foreign host": (GET + b"host: evil.example\r\n" + KEY + b"\r\n", (200,)),
    "foreign absolute URL": (
        b"GET http://evil.example/api/v1/models HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n",
        (400,),
    ),
    "two hosts": (GET + b"host: x\r\nhost: evil.example\r\n" + KEY + b"\r\n", (400,)),
    "unknown coding": (POST + b"transfer-encoding: identity\r\n\r\n", (400,)),
    "upgrade of a request with a body": (
        POST + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n[]",
        (400,),  # readable, but no object
    ),
    "no host": (GET + KEY + b"\r\n", (400,)),
    "two lengths": (POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x", (400,)),
    "length and chunks": (POST + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    "negative length": (POST + b"content-length: -2\r\n\r\n{}", (400,)),
    "malformed chunk": (POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n", (400,)),
    "two keys, the first wrong": (GET + b"host: x\r\nx-functions-key: bad\r\n" + KEY + b"\r\n", (401,)),
    "key that is no ASCII": (GET + b"host: x\r\nx-functions-key: \xff\r\n\r\n", (400,)),
    "code that is no UTF-8": (b"GET /api/v1/models?code=%ff HTTP/1.1\r\nhost: x\r\n\r\n", (401,)),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (400, 404)),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (404,)),
    "TRACE": (b"TRACE /api/v1/models HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (404,)),
    "HEAD": (b"HEAD /api/v1/models HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (200,)),
    "control character in a header": (POST + b"user-agent: a\x01b\r\ncontent-length: 2\r\n\r\n{}", (400,)),
    "folded header": (GET + b"host: x\r\nuser-agent: a\r\n b\r\n" + KEY + b"\r\n", (400,)),
    "a thousand headers": (
        GET + b"host: x\r\n" + b"".join(b"x-stainless-%d: 1\r\n" % n for n in range(1_000)) + KEY + b"\r\n",
        (431,),
    ),
    "dots": (b"GET /api/v1/responses/../../openai HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (404,)),
    "encoded dots": (b"GET /api/v1/responses/%2e%2e%2f%2e%2e HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (400,)),
    "encoded slash and query": (b"GET /api/v1/responses/a%2Fb%3Fc HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n", (400,)),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400,)),
}


@pytest.fixture(scope="module")
def running() -> Iterator[Proxy]:
    with proxy() as started:
        yield started


@pytest.mark.parametrize("odd", REQUESTS)
def test_an_odd_request_is_answered_and_the_process_lives(
    running: Proxy, capfd: pytest.CaptureFixture[str], odd: str
) -> None:
    request, statuses = REQUESTS[odd]
    address = urlsplit(running.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=SECONDS) as sock:
        sock.sendall(request)
        answer = sock.recv(65536)
    assert int(answer.split(b" ", 2)[1]) in statuses, answer[:200]
    assert b"test-key" not in answer
    assert httpx.get(f"{running.base_url}/models", headers=running.headers, timeout=SECONDS).status_code == 200
    assert running.azure.journal.exchanges == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("name", ["api_base", "base_url", "azure_endpoint", "host", "url"])
def test_no_member_of_the_body_moves_azures_address(running: Proxy, name: str) -> None:
    body = {"model": "gpt-4o-mini", "input": "x", name: "https://evil.example"}
    answer = httpx.post(f"{running.base_url}/responses", json=body, headers=running.headers, timeout=SECONDS)
    assert answer.status_code == 424, "it reached the fake Azure, member and all"
    assert running.azure.journal.exchanges[-1].target == "/openai/v1/responses"
    running.azure.reset()


def test_a_body_that_never_comes_holds_nobody_up(running: Proxy) -> None:
    address = urlsplit(running.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as slow:
        slow.sendall(POST + b"content-length: 1000\r\n\r\n{")
        fast = httpx.get(f"{running.base_url}/models", headers=running.headers, timeout=SECONDS)
    assert fast.status_code == 200
    assert running.azure.journal.exchanges == []
