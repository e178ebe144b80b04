"""Tokens come from azure-identity, through the endpoint that Azure documents or a laptop's `az login`."""

import asyncio
import importlib
import json
import logging
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

import httpx
import pytest

from proxy import credential, loading
from proxy.credential import LIBRARY, MANAGED, NoTokenError, Token, new_token
from tests.support import Log, closed_port, proxy, raw_upstream, sending

pytestmark = pytest.mark.anyio

SCOPE = "https://cognitiveservices.azure.com/.default"
RESOURCE = SCOPE.removesuffix("/.default")
GOOD = (200, {"access_token": "a-token", "expires_on": "4102444800", "resource": RESOURCE})
Asked = list[tuple[str, dict[str, str]]]


class Endpoint(ThreadingHTTPServer):
    """An identity endpoint that gives its `answers` one after another, and the last one for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Asked = []
        self.answers: list[tuple[int, Any]] = [GOOD]
        self.headers: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        status, told = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "text/html" if isinstance(told, bytes) else "application/json")
        for name, value in self.server.headers.items():
            self.send_header(name, value)
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
        monkeypatch.setitem(MANAGED, "retry_backoff_factor", 0.01)
        yield server
        server.shutdown()


@pytest.mark.parametrize("client_id", [None, "5e29463d-71da-4fe0-8e69-999b57db23b0"])
async def test_azure_identity_asks_the_endpoint_as_azure_documents_it(
    endpoint: Endpoint, client_id: str | None
) -> None:
    assert await new_token(SCOPE, client_id) == Token("a-token", 4102444800.0)
    ((asked, headers),) = endpoint.asked
    assert urlsplit(asked).path == "/msi/token"
    named = {"client_id": [client_id]} if client_id else {}
    assert parse_qs(urlsplit(asked).query) == {"api-version": ["2019-08-01"], "resource": [RESOURCE], **named}
    assert headers["x-identity-header"] == "a-guid"
    assert headers["user-agent"].startswith("azsdk-python-identity/")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_endpoint_that_is_busy_is_asked_again(endpoint: Endpoint, status: int) -> None:
    endpoint.answers = [(status, {}), GOOD]
    assert (await new_token(SCOPE, None)).token == "a-token"
    assert len(endpoint.asked) == 2


async def test_an_endpoint_that_hangs_up_is_asked_three_times(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.server.asked.append(("", {})))
    with pytest.raises(NoTokenError):
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
    monkeypatch.setitem(MANAGED, "read_timeout", 0.3)
    async with asyncio.timeout(10):
        assert (await new_token(SCOPE, None)).token == "a-token"
    assert len(endpoint.asked) == 2


async def test_nobody_waits_as_long_as_the_endpoint_asks(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential, "FETCH_SECONDS", 0.5)
    endpoint.answers, endpoint.headers = [(429, {})], {"retry-after": "3600"}
    async with asyncio.timeout(10):
        with pytest.raises(NoTokenError, match=r"within 0\.5 s"):
            await new_token(SCOPE, None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((400, {"statusCode": 400, "message": "No User Assigned Identity found"}), "400.*No User Assigned Identity"),
        ((200, b"<html>"), "200"),
        ((200, {"access_token": "a-token"}), "200"),
        ((200, {"access_token": "a-token", "expires_on": "soon", "resource": RESOURCE}), "soon"),
        ((200, []), "200"),
        ((500, {}), "500"),
    ],
)
async def test_why_the_endpoint_gave_no_token_is_told_without_one(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, answer: tuple[int, Any], told: str
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.answers = [answer]
    with pytest.raises(NoTokenError, match=told) as caught:
        await new_token(SCOPE, None)
    said = str(caught.value)
    assert said
    assert "\n" not in said
    for secret in ("a-token", "a-guid"):
        assert secret not in said + caplog.text


async def test_a_refusal_is_not_remembered(endpoint: Endpoint) -> None:
    endpoint.answers = [(400, {}), GOOD]
    with pytest.raises(NoTokenError):
        await new_token(SCOPE, None)
    assert (await new_token(SCOPE, None)).token == "a-token"


async def test_a_token_that_azure_refused_is_not_given_out_again(endpoint: Endpoint) -> None:
    endpoint.answers = [GOOD, (200, GOOD[1] | {"access_token": "another"})]
    assert [(await new_token(SCOPE, None)).token for _ in range(2)] == ["a-token", "another"]


async def test_no_proxy_of_the_network_is_asked_for_the_endpoint(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, closed_port())
    assert (await new_token(SCOPE, None)).token == "a-token"


async def test_the_identity_header_goes_nowhere_else(endpoint: Endpoint) -> None:
    with Endpoint() as elsewhere:
        Thread(target=elsewhere.serve_forever, args=(0.01,), daemon=True).start()
        endpoint.answers = [(302, {})]
        endpoint.headers = {"location": f"http://127.0.0.1:{elsewhere.server_port}/msi/token"}
        with pytest.raises(NoTokenError):
            await new_token(SCOPE, None)
        elsewhere.shutdown()
        assert not elsewhere.asked


async def test_calls_go_on_while_the_library_is_loaded(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    load = importlib.import_module

    def slowly(name: str) -> Any:
        time.sleep(0.5 * (name == LIBRARY))
        return load(name)

    monkeypatch.setattr(importlib, "import_module", slowly)
    fetch = asyncio.create_task(new_token(SCOPE, None))
    for _ in range(10):
        began = time.monotonic()
        await asyncio.sleep(0.01)
        assert time.monotonic() - began < 0.3
    assert not fetch.done()
    assert (await fetch).token == "a-token"


async def test_a_library_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, LIBRARY, None)
    with pytest.raises(NoTokenError, match=LIBRARY):
        await new_token(SCOPE, None)
    await asyncio.to_thread(loading.load)
    (line,) = capsys.readouterr().out.splitlines()
    assert LIBRARY in line
    assert "Install requirements.txt" in line


def test_without_the_library_the_function_starts_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{LIBRARY!r}] = None\n")
    log = Log(tmp_path / "log")
    with log.path.open("wb") as file, proxy(settings={"PYTHONPATH": str(tmp_path)}, verbose=True, log=file) as running:
        assert httpx.get(f"{running.base_url}/models", headers=running.headers).status_code == 200
        body = {"model": "gpt-4o-mini", "messages": []}
        answer = httpx.post(f"{running.base_url}/chat/completions", json=body, headers=running.headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "identity_unavailable")
    assert "Install requirements.txt" in log.text()
    assert "no token from the managed identity: ModuleNotFoundError" in log.text()


async def test_on_a_laptop_az_login_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Callable[..., None]
) -> None:
    for name in [*os.environ]:
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    expires = int(time.time()) + 3600
    program("az", json.dumps({"accessToken": "from-az", "expires_on": expires, "expiresOn": "2100-01-01 00:00:00.0"}))
    assert await new_token(SCOPE, None) == ("from-az", float(expires))
    program("az", "ERROR: Please run 'az login' to setup account.", status=1)
    with pytest.raises(NoTokenError, match="az login"):
        await new_token(SCOPE, None)


def test_az_login_is_enough_for_the_function(program: Callable[..., None]) -> None:
    program("az", json.dumps({"accessToken": "from-az", "expires_on": int(time.time()) + 3600}))
    laptop = {"IDENTITY_ENDPOINT": "", "IDENTITY_HEADER": "", "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}
    with raw_upstream() as upstream, proxy(upstream.base, laptop) as running:
        upstream.answer = sending(b"{}", b"content-type: application/json")
        body = {"model": "gpt-4o-mini", "messages": []}
        answer = httpx.post(f"{running.base_url}/chat/completions", json=body, headers=running.headers, timeout=30)
        assert answer.status_code == 200, answer.text
        (arrived,) = upstream.arrived
        assert arrived.headers["authorization"] == "Bearer from-az"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Puts a program on PATH that prints a text."""

    def install(name: str, printed: str, status: int = 0) -> None:
        file = tmp_path / name
        stream = "sys.stderr" if status else "sys.stdout"
        file.write_text(f"#!{sys.executable}\nimport sys\nprint({printed!r}, file={stream})\nsys.exit({status})\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return install
