"""`serve`, `azure` and `host` open the control API to the right callers, and print where it is."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from emulator import cli
from emulator.page.arguments import DEFAULT_PORT
from emulator.page.command import bound
from tests.test_cli import run, started

OPEN = ("--host", "0.0.0.0")  # noqa: S104
PROMPT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Nobody else may read this."}]}


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    """With --any-key the proxy takes every key, and the control API has a port of its own."""
    with started("serve", "--port", "0", "--any-key") as (described, process):
        yield described
        process.terminate()
        _, errors = process.communicate(timeout=20)
        assert errors == "warning: every key is accepted, because of --any-key. Azure accepts its own.\n"


def test_serve_has_the_control_api_on_a_port_of_its_own_and_nothing_else_there(served: dict[str, Any]) -> None:
    url = served["control_url"]
    state = httpx.get(f"{url}state").json()
    assert (state["proxy"], state["azure"]) == (served["base_url"], served["azure_base"])
    assert httpx.get(f"{served['azure_base']}/_emulator/state").json()["proxy"] == served["base_url"]
    base = url.removesuffix("/_emulator/")
    for path in ("/openai/v1/models", "/msi/token", "/_emulatorstate", "//_emulator/state"):
        assert httpx.get(base + path).status_code == 404, path


SPELLINGS = [
    "_emulator/state",
    "/_emulator/state",
    "_emulator/journal",
    "%5Femulator/state",
    "%5F%65mulator%2Fstate",
    "_emulator%2fstate",
    "../_emulator/state",
    "..%2f..%2f_emulator/state",
    "%2e%2e/%2e%2e/_emulator/state",
    "responses/..%2f..%2f..%2f_emulator%2fstate",
    "responses/../../../_emulator/state",
    "responses/%252e%252e%252f_emulator",
    "models/..%2f..%2f_emulator%2fstate",
    "models/../../_emulator/state",
    "responses/x/input_items?path=/_emulator/state",
    "responses/_emulator",
    "_EMULATOR/state",
    "_emulator\\state",
    quote("http://127.0.0.1:{port}/_emulator/state", safe=""),
    "http://127.0.0.1:{port}/_emulator/state",
]


def test_no_call_to_the_proxy_reaches_the_emulators_own_routes(served: dict[str, Any]) -> None:
    origin = served["base_url"].removesuffix("/api/v1")
    port = httpx.URL(served["azure_base"]).port
    key = {"x-functions-key": served["function_key"], "content-type": "application/json"}
    paths = [f"{below}{spelling.format(port=port)}" for below in ("/api/v1/", "/api/", "/") for spelling in SPELLINGS]
    with httpx.Client(headers=key, trust_env=False) as client:
        for path in paths:
            for method, content in (("GET", None), ("POST", b'{"model":"gpt-4o-mini"}'), ("DELETE", None)):
                answer = client.request(method, httpx.URL(origin, raw_path=path.encode()), content=content)
                assert not [word for word in ("exchanges", '"mode"', "recordings") if word in answer.text], (
                    method,
                    path,
                )
    assert httpx.get(f"{served['control_url']}state").json()["counts"]["calls"] > 0, "some have reached the fake Azure"


def test_any_key_is_a_key_where_that_was_asked_for_and_none_is_none(served: dict[str, Any]) -> None:
    models = f"{served['base_url']}/models"
    shown = [{"authorization": "Bearer sk-mine"}, {"api-key": "mine"}, {"x-functions-key": "mine"}, {"x-api-key": "m"}]
    assert [httpx.get(models, headers=headers).status_code for headers in shown] == [200] * len(shown)
    assert httpx.get(models).status_code == 401
    assert httpx.get(models, params={"code": "mine"}).status_code == 401, "a page of any site could ask that"
    assert httpx.get(models, params={"code": served["function_key"]}).status_code == 200


def test_a_port_that_is_taken_is_another_unless_it_was_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", "0", "--page-port", str(port))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"error: Port {port} on 127.0.0.1 cannot be used")
    arguments = cli.parser().parse_args(["serve"])
    with bound(arguments) as one, bound(arguments) as other:
        assert len({one.getsockname()[1], other.getsockname()[1]}) == 2
        assert other.getsockname()[1] != DEFAULT_PORT


def test_who_waits_does_not_keep_the_emulator_from_stopping() -> None:
    with started("azure") as (described, process):
        url = httpx.URL(described["control_url"])
        with socket.create_connection((url.host, url.port or 0)) as waiting:
            waiting.sendall(b"GET /_emulator/calls?wait=30 HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert httpx.get(f"{url}state").status_code == 200
            process.terminate()
            _, errors = process.communicate(timeout=10)
            assert (process.returncode, errors) == (0, "")
            assert waiting.recv(100).startswith(b"HTTP/1.1 200")


def test_the_fake_azure_beyond_loopback_shows_what_was_asked_to_who_has_the_token() -> None:
    with started("azure", *OPEN, "--page-host", "emulator", "--any-key") as (azure, process):
        url, token = azure["control_url"], azure["control_token"]
        asked = httpx.post(
            f"{azure['azure_base']}/openai/v1/chat/completions", headers={"api-key": "mine"}, json=PROMPT
        )
        assert asked.status_code == 424
        for path in ("state", "calls", "journal", "calls/1"):
            refused = httpx.get(url + path, headers={"host": "emulator"})
            assert (refused.status_code, "Nobody else" in refused.text) == (401, False)
        shown = {"authorization": f"Bearer {token}", "host": "emulator:7072"}
        (call,) = httpx.get(f"{url}calls", headers=shown).json()["calls"]
        assert call["asked"] == "Nobody else may read this."
        assert httpx.get(f"{url}calls", headers=shown | {"host": "elsewhere"}).status_code == 403
        process.terminate()
        _, errors = process.communicate(timeout=20)
    warned = errors.splitlines()
    assert [line.partition(": ")[0] for line in warned] == ["warning"] * 3
    assert "the fake Azure. Everybody can get the recordings." in warned[0]
    assert "--any-key" in warned[1]
    assert "the control API. Everybody who has its token can read all requests." in warned[2]


def test_serve_opens_the_control_api_to_who_has_the_token_when_a_name_is_given() -> None:
    with started("serve", "--port", "0", *OPEN, "--page-host", "emulator", "--page-port", "0") as (served, _):
        url, token = served["control_url"], served["control_token"]
        assert httpx.get(f"{url}state").status_code == 401
        headers = {"authorization": f"Bearer {token}", "host": "emulator"}
        changed = httpx.patch(f"{url}state", headers=headers, json={"fault": "rate_limited"})
        assert changed.json()["fault"] == "rate_limited"
        assert served["azure_base"].startswith("http://127.0.0.1:")
        near = httpx.get(f"{served['azure_base']}/_emulator/state")
        assert near.json()["fault"] == "rate_limited", "on this machine's own address no token is needed"
