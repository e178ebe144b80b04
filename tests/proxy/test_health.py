"""`GET /api/health` tells everybody that the proxy is up, and its version. It exists only where a setting wants it."""

import json
import os
import runpy
import tomllib
from collections.abc import Iterator

import httpx
import pytest

from emulator.host.routing.definition import http_functions
from emulator.stack import ROOT, HostProcess
from proxy.version import VERSION
from tests.host.hosts import BACKENDS
from tests.host.reached import unreached
from tests.keys.signing import SECRET
from tests.support import Log, Proxy, RawUpstream, proxy

UP = {"status": "up", "version": VERSION}
OF_THE_SERVER = {"date", "server"}


def test_the_version_is_the_packages() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("health") / "stderr")


@pytest.fixture(scope="module")
def healthy(upstream: RawUpstream, log: Log) -> Iterator[Proxy]:
    settings = {"PROXY_HEALTH": " True ", "PROXY_SIGNING_KEY": SECRET}
    with log.path.open("wb") as file, proxy(upstream.base, settings, verbose=True, log=file) as running:
        yield running


def health_of(running: Proxy) -> str:
    return running.base_url.replace("/api/v1", "/api/health")


def test_everybody_learns_that_it_is_up_and_nothing_else(healthy: Proxy, upstream: RawUpstream) -> None:
    before = len(upstream.arrived)
    answer = httpx.get(health_of(healthy))
    assert (answer.status_code, answer.json()) == (200, UP)
    assert set(answer.headers) - OF_THE_SERVER == {"content-type", "content-length", "x-request-id"}
    assert len(upstream.arrived) == before


@pytest.mark.parametrize("headers", [{"x-functions-key": "wrong"}, {"authorization": "Bearer sk-x"}, {"cookie": "a=b"}])
def test_no_header_makes_a_difference(healthy: Proxy, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{health_of(healthy)}?code=wrong", headers=headers)
    assert (answer.status_code, answer.json()) == (200, UP)


def test_a_monitor_may_ask_without_the_body(healthy: Proxy) -> None:
    answer = httpx.head(health_of(healthy))
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/health", 401),
        ("DELETE", "/api/health", 401),
        ("GET", "/api/health/x", 401),
        ("GET", "/api/v1/health", 401),
        ("GET", "/api/v1/models", 401),
        ("GET", "/api/keys/health", 401),
        ("GET", "/health", 404),
    ],
)
def test_nothing_else_is_open(healthy: Proxy, method: str, path: str, status: int) -> None:
    assert httpx.request(method, healthy.base_url.replace("/api/v1", path)).status_code == status


def test_it_prints_no_record(healthy: Proxy, log: Log) -> None:
    for name in "before", "after":
        httpx.get(f"{healthy.base_url}/models", headers={**healthy.headers, "x-client-request-id": name})
        assert log.of(name)
        for _ in range(5):
            httpx.get(health_of(healthy))
    assert [record["client_request_id"] for record in log.records()[-2:]] == ["before", "after"]


def test_a_proxy_that_answers_no_call_is_not_up(upstream: RawUpstream) -> None:
    with proxy(upstream.base, {"PROXY_HEALTH": "true", "PROXY_ALLOW_STORE": "perhaps"}) as running:
        answer = httpx.get(health_of(running))
    assert (answer.status_code, answer.json()) == (503, {"status": "misconfigured", "version": VERSION})


@pytest.mark.parametrize("value", ["", "false", "yes"])
def test_without_the_setting_there_is_no_such_function(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert anonymous(monkeypatch, PROXY_HEALTH=value) == []


def test_with_it_no_other_function_is_anonymous(monkeypatch: pytest.MonkeyPatch) -> None:
    assert anonymous(monkeypatch, PROXY_HEALTH="true") == ["health"]


def test_beside_signed_keys_each_route_reaches_its_own_function(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = http_functions(declared(monkeypatch, PROXY_HEALTH="true", PROXY_SIGNING_KEY=SECRET))
    assert "health" in {function.name for function in functions}
    assert unreached(functions) == {}


def declared(monkeypatch: pytest.MonkeyPatch, **settings: str) -> list[tuple[str, str, list[str]]]:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    functions = runpy.run_path(str(ROOT / "function_app.py"))["app"].get_functions()
    return [(str(function.get_function_name()), "", function.get_raw_bindings()) for function in functions]


def anonymous(monkeypatch: pytest.MonkeyPatch, **settings: str) -> list[str]:
    return [
        name
        for name, _, bindings in declared(monkeypatch, **settings)
        if json.loads(bindings[0])["authLevel"] == "ANONYMOUS"
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_backend_of_the_host_serves_it(backend: str) -> None:
    environment = {"AZURE_OPENAI_BASE": "https://a.example", "AZURE_OPENAI_DEPLOYMENT": "m", "PROXY_HEALTH": "true"}
    with HostProcess({**os.environ, **environment, "FUNCTION_HOST_KEY": "k"}, 0, backend) as host:
        assert httpx.get(host.base_url.replace("/api/v1", "/api/health")).json() == UP
