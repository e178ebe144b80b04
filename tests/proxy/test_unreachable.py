"""No answer from Azure has many causes. The caller's advice fits the cause, and the log and the record name it."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import httpx
import pytest

from proxy import transport
from proxy.failure import CAUSES, cause_of, failure_of
from proxy.transport import Transport
from tests.certificate import certificate_of_localhost
from tests.support import Arrived, Log, Proxy, RawUpstream, closed_port, proxy, sending


def ask(running: Proxy) -> httpx.Response:
    return httpx.post(
        f"{running.base_url}/chat/completions", json={"messages": []}, headers=running.headers, timeout=30
    )


@contextmanager
def listening(converse: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that gives each connection to `converse`."""

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(sock,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def no_tls(sock: socket.socket) -> None:
    with sock:
        sock.recv(65536)
        sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def hang_up(sock: socket.socket) -> None:
    sock.close()


def failing(base: str) -> BaseException:
    """The error of a call to this address."""

    async def call() -> None:
        way = Transport(1)
        try:
            await way.handle_async_request(httpx.Request("POST", base, content=b"{}"))
        finally:
            await way.aclose()

    with pytest.raises((httpx.HTTPError, OSError)) as caught:
        asyncio.run(call())
    return caught.value


def test_a_refused_connection_can_be_tried_again() -> None:
    error = failure_of(failing(closed_port()))
    assert (error.cause, error.retry) == ("refused", True)


def test_a_name_that_is_not_known_is_not_tried_again() -> None:
    error = failing("https://no-such-resource.invalid")
    assert cause_of(error) in ("dns", "dns_unanswered"), "as the machine's resolver says it"
    assert isinstance(error.__cause__, OSError)
    for number, cause in ((socket.EAI_NONAME, "dns"), (socket.EAI_AGAIN, "dns_unanswered")):
        failed = httpx.ConnectError("x")
        failed.__cause__ = socket.gaierror(number, "x")
        assert (cause_of(failed), CAUSES[cause].retry) == (cause, cause == "dns_unanswered")


@pytest.mark.parametrize(("converse", "cause", "retry"), [(no_tls, "tls", False), (hang_up, "closed", True)])
def test_a_failed_tls_handshake_names_what_failed(
    converse: Callable[[socket.socket], None], cause: str, retry: bool
) -> None:
    with listening(converse) as where:
        error = failure_of(failing(f"https://{where}"))
    assert (error.code, error.cause, error.retry) == ("upstream_unreachable", cause, retry)


def test_a_certificate_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    certificate = certificate_of_localhost(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    def converse(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            context.wrap_socket(sock, server_side=True).recv(1)

    with listening(converse) as where:
        error = failure_of(failing(f"https://{where}"))
    assert (error.cause, error.retry) == ("certificate", False)
    assert b"SSL_CERT_FILE" in error.body


def test_a_handshake_without_an_answer_is_no_silent_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECTING", aiohttp.ClientTimeout(connect=5, sock_connect=0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, and nobody ever answers
        error = failure_of(failing(f"https://localhost:{silent.getsockname()[1]}"))
    assert (error.code, error.cause, error.retry) == ("upstream_unreachable", "connect_timeout", True)
    assert b"225" not in error.body


def test_silence_after_the_connection_is_a_time_out(upstream: RawUpstream) -> None:
    upstream.answer = lambda _, sock: threading.Event().wait(2)  # type: ignore[assignment,func-returns-value]
    error = failure_of(failing(upstream.base))
    assert (error.code, error.status) == ("upstream_timeout", 504)


def reset(_: Arrived, sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def raw(data: bytes) -> Callable[[Arrived, socket.socket], None]:
    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_RDWR)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\n"
BROKEN = {  # bytes that the upstream sends before it closes: the cause in the record
    "nothing": (raw(b""), "closed"),
    "reset": (reset, "closed"),
    "half a status line": (raw(b"HTTP/1."), "closed"),
    "half a head": (raw(HEAD + b"content-type: application"), "closed"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "malformed"),
    "no header": (raw(HEAD + b"no colon\r\n\r\n"), "malformed"),
    "two lengths": (raw(HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n{}"), "malformed"),
    "an empty answer": (sending(b""), "malformed"),
    "a long header": (raw(HEAD + b"x: " + b"a" * 70_000 + b"\r\ncontent-length: 2\r\n\r\n{}"), "head_too_long"),
    "a long reason": (raw(b"HTTP/1.1 200 " + b"a" * 70_000 + b"\r\ncontent-length: 2\r\n\r\n{}"), "head_too_long"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_cause_is_in_the_record_and_the_log(upstream: RawUpstream, logged: Proxy, log: Log, case: str) -> None:
    (upstream.answer, cause), before = BROKEN[case], len(log.records())
    answer = ask(logged)
    error, record = answer.json()["error"], log.last(before + 1)
    retry, message = CAUSES[cause]
    assert (answer.status_code, error["code"], error["message"]) == (502, "upstream_unreachable", message)
    assert answer.headers.get("x-should-retry") == (None if retry else "false")
    assert (record["error"], record["cause"]) == ("upstream_unreachable", cause)
    assert f"upstream_unreachable: {cause}: {record['detail']}\n" in log.text()
    assert "aaaa" not in record["detail"], "nothing is repeated of what came"


@pytest.mark.parametrize(("method", "status"), [("DELETE", b"200 OK"), ("DELETE", b"204 No"), ("POST", b"202 Soon")])
def test_an_answer_that_may_be_empty_passes(upstream: RawUpstream, behind: Proxy, method: str, status: bytes) -> None:
    upstream.answer = sending(b"", status=status)
    url = f"{behind.base_url}/responses/resp_1" + "/cancel" * (method == "POST")
    assert httpx.request(method, url, headers=behind.headers).status_code == int(status[:3])


def test_a_base_without_anybody_says_so_in_its_log(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    with log.path.open("wb") as file, proxy(closed_port(), verbose=True, log=file) as running:
        ask(running)
        assert log.last(1)["cause"] == "refused"
