"""The doctor names the cause of every fault of a deployed proxy, in the docs' words, and never shows the key."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import cli
from emulator.doctor import conversation, examination, refusal, troubleshooting
from emulator.doctor.examination import Doctor
from emulator.stack import CASSETTES, ROOT, LocalStack
from proxy.errors import ProxyError
from tests.golden import assert_golden
from tests.support import Arrived, RawUpstream, closed_port, proxy, raw_upstream

KEY, VECTORS = "a-function-key", "text-embedding-3-small"
Capsys = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalStack]:
    with LocalStack([CASSETTES / "doctor"], function_key=KEY, time_scale=1) as stack:
        yield stack


@pytest.fixture
def stack(running: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalStack:
    monkeypatch.chdir(tmp_path)  # a folder without .env
    running.azure.reset()
    return running


def examined(capsys: Capsys, *arguments: str, key: str = KEY) -> tuple[int, str]:
    """(exit status, the output without the parts that differ from run to run)."""
    status = cli.main(["doctor", "--key", key, *arguments])
    said = capsys.readouterr()
    assert said.err == ""
    assert key not in said.out, "the key is not shown"
    text = re.sub(r"127\.0\.0\.1:\d+|(?<=port )\d+", "HOST", said.out)
    return status, re.sub(r"\d+(\.\d+)? (m?s)\b", r"N \2", text)


def test_a_proxy_that_is_well(stack: LocalStack, capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", stack.base_url, "--embeddings", "text-embedding-3-small")
    assert_golden("doctor/well.txt", text)
    assert status == 0


def test_without_calls_azure_is_not_asked(stack: LocalStack, capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", stack.base_url, "--no-calls")
    assert (status, stack.azure.journal.exchanges) == (0, [])
    assert text.endswith("no problems, 0 tokens used\n")


@pytest.mark.parametrize(
    "fault",
    [
        *("unknown_model", "deployment_not_found", "rate_limited", "permission_denied", "network_denied"),
        *("server_error", "content_filter", "version_not_supported"),
    ],
)
def test_what_azure_refuses(stack: LocalStack, capsys: Capsys, fault: str) -> None:
    stack.azure.misbehave(fault)
    status, text = examined(capsys, "--base-url", stack.base_url)
    assert_golden(f"doctor/{fault}.txt", text)
    assert status == 1


def test_a_stream_that_breaks_off(stack: LocalStack, capsys: Capsys) -> None:
    stack.azure.misbehave("reset; at_byte=900")
    status, text = examined(capsys, "--base-url", stack.base_url)
    assert status == 1
    assert "no whole answer" in text
    assert "Azure broke off" in text


def test_a_stream_that_somebody_collects(stack: LocalStack, capsys: Capsys) -> None:
    stack.azure.time_scale = 0
    try:
        status, text = examined(capsys, "--base-url", stack.base_url)
    finally:
        stack.azure.time_scale = 1
    assert_golden("doctor/collected.txt", text)
    assert status == 1


def test_a_function_without_identity(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with LocalStack([CASSETTES / "doctor"], function_key=KEY) as stack:
        stack.azure.identity.failure = 400
        status, text = examined(capsys, "--base-url", stack.base_url)
    assert_golden("doctor/identity.txt", text)
    assert status == 1


@pytest.mark.parametrize(("name", "base"), [("unreachable", ""), ("misconfigured", "http://resource.openai.azure.com")])
def test_a_function_with_a_wrong_azure(capsys: Capsys, name: str, base: str) -> None:
    with proxy(base or closed_port()) as running:
        status, text = examined(capsys, "--base-url", running.base_url, key="test-key")
    assert_golden(f"doctor/{name}.txt", text)
    assert status == 1


def test_a_wrong_key(stack: LocalStack, capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", stack.base_url, key="another-key")
    assert_golden("doctor/key.txt", text)
    assert status == 1


@pytest.mark.parametrize(
    ("name", "base_url"),
    [
        ("http", "http://app.example/api/v1"),
        ("path", "https://app.example/api/v1/v1"),
        ("no_url", "app.example/api/v1"),
        ("name", "https://no-such-name.invalid/api/v1"),
    ],
)
def test_a_base_url_that_cannot_be_right(
    capsys: Capsys, name: str, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # every system has its own words for it
    status, text = examined(capsys, "--base-url", base_url)
    assert_golden(f"doctor/url_{name}.txt", text)
    assert status == 1


def test_nobody_listens(capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", f"{closed_port()}/api/v1")
    assert status == 1
    assert "problem  connection  port HOST: [Errno" in text
    assert troubleshooting.meaning_of("no connection to the proxy") in " ".join(text.split())


def answers(upstream: RawUpstream, status: str, body: bytes = b"", *headers: str) -> str:
    def answer(_: Arrived, sock: socket.socket) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""])
        sock.sendall(head.encode() + body)

    upstream.answer = answer
    return f"{upstream.base}/api/v1"


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("no_function", "404 Not Found", b""),
        ("stopped", "403 Site Disabled", b"<html>Error 403 - This web app is stopped. \x1b[31m</html>"),
        ("other_server", "200 OK", b"<html>Welcome</html>"),
        ("not_found", "404 Not Found", b'{"error":{"code":"not_found","message":"There is no GET /api/v1/models."}}'),
        ("timeout", "504 Timeout", ProxyError("upstream_timeout").body),
        ("echo", "400 Bad Request", b'{"error":{"code":"odd","message":"you sent a-function-key"}}'),
        ("null", "500 Error", b"null"),
        ("too_busy", "429 Too Many Requests", b"Too Busy"),
    ],
)
def test_what_is_there_is_not_the_proxy(capsys: Capsys, name: str, status: str, body: bytes) -> None:
    with raw_upstream() as upstream:
        found, text = examined(capsys, "--base-url", answers(upstream, status, body))
    assert_golden(f"doctor/{name}.txt", text)
    assert found == 1
    assert "\x1b" not in text


def test_a_clock_that_is_wrong_is_noted(capsys: Capsys) -> None:
    with raw_upstream() as upstream:
        base_url = answers(upstream, "200 OK", b'{"data": [{"id": "m"}]}', "date: Mon, 01 Jan 2024 00:00:00 GMT")
        status, text = examined(capsys, "--base-url", base_url, "--no-calls")
    assert re.search(r"^note     clock .* apart from the proxy's$", text, re.MULTILINE)
    assert troubleshooting.meaning_of("a clock") in " ".join(text.split())
    assert status == 0


@pytest.mark.parametrize("error", [b'"private"', b'{"message":"x"}', b"[1]"])
def test_an_error_of_another_shape_is_no_traceback(capsys: Capsys, error: bytes) -> None:
    with raw_upstream() as upstream:
        base_url = answers(upstream, "200 OK", b'{"data": [{"id": "m"}], "error": %s}' % error)
        status, text = examined(capsys, "--base-url", base_url)
    assert status == 1
    assert re.search(r"^problem  chat .* an error in it", text, re.MULTILINE)


def test_a_cold_start_is_noted(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "COLD_SECONDS", 0.3)
    with raw_upstream() as upstream:
        base_url = answers(upstream, "200 OK", b'{"data": [{"id": "m"}]}')
        at_once = upstream.answer

        def cold(request: Arrived, sock: socket.socket) -> None:
            time.sleep(0 if len(upstream.arrived) > 1 else 0.5)
            at_once(request, sock)

        upstream.answer = cold
        status, text = examined(capsys, "--base-url", base_url, "--no-calls")
    assert re.search(r"^note     start ", text, re.MULTILINE)
    assert troubleshooting.meaning_of("a slow first call") in " ".join(text.split())
    assert status == 0


def test_as_json_it_is_one_object(stack: LocalStack, capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", stack.base_url, "--no-calls", "--json")
    told = json.loads(text)
    assert (status, told["problems"], told["tokens"]) == (0, 0, 0)
    assert [check["name"] for check in told["checks"]] == ["address", "dns", "connection", "health", "clock", "start"]


def test_url_and_key_may_stand_in_the_environment_or_in_a_file(
    stack: LocalStack, capsys: Capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"PROXY_BASE_URL={stack.base_url}\nFUNCTION_HOST_KEY=wrong\n")
    monkeypatch.setenv("FUNCTION_HOST_KEY", KEY)
    assert cli.main(["doctor", "--no-calls"]) == 0
    monkeypatch.delenv("FUNCTION_HOST_KEY")
    assert cli.main(["doctor", "--no-calls"]) == 1
    assert "401 with an empty body" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Doctor needs the proxy's address: --base-url "),
        (("--base-url", "https://a/api/v1"), "Doctor needs the key: --key, or FUNCTION_HOST_KEY "),
        (("--base-url", "https://a/api/v1", "--key", "two\nlines"), "The key has characters"),
        (("--base-url", "https://a/api/v1", "--key", "k", "--wait", "-1"), "--wait is a number of minutes"),
        (("--base-url", "https://a/api/v1", "--key", "k", "--wait", "nan"), "--wait is a number of minutes"),
        (("--base-url", "https://a/api/v1", "--key", "k", "--wait", "inf"), "--wait is a number of minutes"),
    ],
)
def test_wrong_usage_is_one_line(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["doctor", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {said}")
    assert "two" not in told


def test_every_cause_has_its_row_in_the_readme() -> None:
    sources = [path.read_text() for path in (ROOT / "emulator/doctor").glob("*.py")]
    named = {*refusal.BY_STATUS.values(), *refusal.BY_CODE.values(), *refusal.HARMLESS, *examination.PASSING}
    named |= {row for *_, row in (*refusal.BY_WORDS, *examination.BREAKS)}
    named |= {
        *conversation.OF_ONE_MODEL,
        refusal.OTHER,
        refusal.PAGE,
        refusal.UNREADABLE,
        examination.OLD,
        examination.NOT_FOUND,
    }
    named |= set(re.findall(r'(?:meaning_of\(|Problem\([^\n]*, )"([^"]+)"\)', "\n".join(sources)))
    assert len(named) > 20
    for cause in named:
        assert troubleshooting.meaning_of(cause)


def test_nothing_is_asked_after_a_problem_that_stops_the_rest(stack: LocalStack) -> None:
    stack.azure.misbehave("permission_denied")
    checks = list(Doctor(stack.base_url, KEY).examine())
    assert [check.name for check in checks][-2:] == ["start", "chat"]
    assert len(stack.azure.journal.exchanges) == 1


def test_a_model_that_is_not_served_is_a_problem_once(stack: LocalStack) -> None:
    checks = {check.name: check for check in Doctor(stack.base_url, KEY, model="gpt-nonsense").examine()}
    assert [checks[name].result for name in ("chat", "stream", "responses")] == ["problem", "note", "note"]
    assert "does not serve" in checks["chat"].found


def test_after_a_problem_that_stops_nothing_the_rest_is_asked(stack: LocalStack) -> None:
    stack.azure.misbehave("server_error; times=1")
    checks = {check.name: check.result for check in Doctor(stack.base_url, KEY, embeddings=VECTORS).examine()}
    assert checks["chat"] == "problem"
    assert [checks[name] for name in ("stream", "responses", "vectors")] == ["ok", "ok", "ok"]
