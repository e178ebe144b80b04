"""Where tokens come from: the identity endpoint as Azure documents it, and a laptop's `az login`."""

import asyncio
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.identity import ManagedIdentityCredential

from proxy import credential, upstream
from proxy.credential import new_token

pytestmark = pytest.mark.anyio

SCOPE = "https://cognitiveservices.azure.com/.default"
GOOD = (200, {"access_token": "a-token", "expires_on": "4102444800", "resource": SCOPE.removesuffix("/.default")})
Asked = list[tuple[str, dict[str, str]]]


class Endpoint(ThreadingHTTPServer):
    """An identity endpoint that answers what `answers` has, one after another and the last for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Asked = []
        self.answers: list[tuple[int, Any]] = [GOOD]


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        status, told = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with Endpoint() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "a-guid")
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
async def client_of_this_loop() -> Any:
    upstream.client.cache_clear()
    yield
    await upstream.client().aclose()
    upstream.client.cache_clear()


@pytest.mark.parametrize("client_id", [None, "5e29463d-71da-4fe0-8e69-999b57db23b0"])
async def test_the_endpoint_is_asked_what_azure_identity_asks(endpoint: Endpoint, client_id: str | None) -> None:
    token = await new_token(SCOPE, client_id)
    assert token == ("a-token", 4102444800.0)
    with ManagedIdentityCredential(client_id=client_id) as theirs:
        assert theirs.get_token(SCOPE).token == token.token
    (ours, our_headers), (asked, their_headers) = endpoint.asked
    assert urlsplit(ours).path == urlsplit(asked).path
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(asked).query)
    assert our_headers["x-identity-header"] == their_headers["x-identity-header"] == "a-guid"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_endpoint_that_is_busy_is_asked_again(endpoint: Endpoint, status: int) -> None:
    endpoint.answers = [(status, {}), GOOD]
    assert (await new_token(SCOPE, None)).token == "a-token"
    assert len(endpoint.asked) == 2


async def test_an_endpoint_that_hangs_up_is_asked_three_times(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.server.asked.append(("", {})))
    with pytest.raises(upstream.FAILURES):
        await new_token(SCOPE, None)
    assert len(endpoint.asked) >= 3, "aiohttp may repeat a GET that met a closing connection"


async def test_an_endpoint_that_is_silent_is_asked_again(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Handler.do_GET

    def silent(self: Handler) -> None:
        if not self.server.asked:
            self.server.asked.append(("", {}))
            time.sleep(30)
        else:
            answer(self)

    monkeypatch.setattr(Handler, "do_GET", silent)
    monkeypatch.setattr(credential, "ATTEMPT_SECONDS", 0.3)
    async with asyncio.timeout(10):
        assert (await new_token(SCOPE, None)).token == "a-token"
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((400, {"statusCode": 400, "message": "No User Assigned Identity found"}), "400.*No User Assigned Identity"),
        ((200, b"<html>"), "sent no token"),
        ((200, {"access_token": "a-token"}), "sent no token"),
        ((200, []), "sent no token"),
        ((500, {}), "500"),
    ],
)
async def test_an_endpoint_that_gives_no_token_is_quoted(
    endpoint: Endpoint, answer: tuple[int, Any], told: str
) -> None:
    endpoint.answers = [answer]
    with pytest.raises(ValueError, match=told):
        await new_token(SCOPE, None)


async def test_on_a_laptop_az_login_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Callable[[str, str], None]
) -> None:
    for name in [*os.environ]:
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    expires = int(time.time()) + 3600
    program("az", json.dumps({"accessToken": "from-az", "expires_on": expires, "expiresOn": "2100-01-01 00:00:00.0"}))
    assert await new_token(SCOPE, None) == ("from-az", float(expires))


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a program on PATH that prints something."""

    def install(name: str, printed: str) -> None:
        file = tmp_path / name
        file.write_text(f"#!{sys.executable}\nprint({printed!r})\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return install
