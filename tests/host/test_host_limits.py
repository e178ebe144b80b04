"""Time and size limits of the host, and how it stops."""

import http.client
import signal
import time
from collections.abc import Iterator

import pytest

from tests.host.hosts import BACKENDS, HEAD, Host, LocalHost, running, start

STOPPED_WITHIN_S = 5
EACH_BACKEND = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(scope="module", params=BACKENDS)
def strict_host(request: pytest.FixtureRequest) -> Iterator[LocalHost]:
    with running(request.param, "--activity-timeout", "0.5", FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="1000") as host:
        yield host


def test_a_silent_function_is_500_and_its_client_can_go_on(strict_host: Host) -> None:
    connection = strict_host.connect()
    response = start(connection, "GET", "/base/v2/happened/never")
    assert (response.status, response.read()) == (500, b"")
    assert start(connection, "GET", "/base/v2/text").read() == b'"hello"'
    connection.close()


def test_a_stream_that_falls_silent_is_broken(strict_host: Host) -> None:
    connection = strict_host.connect()
    response = start(connection, "GET", "/base/v2/endless/never")
    assert response.read1() == b"first"
    with pytest.raises(ConnectionResetError):
        response.read()
    connection.close()


def test_every_frame_puts_the_timeout_off(strict_host: Host) -> None:
    assert strict_host.ask("GET", "/base/v2/drip/0.15").body == b"drop " * 5


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 500)])
def test_a_body_over_the_limit_is_an_empty_500(strict_host: Host, size: int, status: int, chunked: bool) -> None:
    body = b"x" * size
    reply = strict_host.ask("POST", "/base/v2/show/x", iter([body[:600], body[600:]]) if chunked else body)
    assert reply.status == status
    assert reply.body or status == 500


def test_a_body_that_announces_too_much_is_not_waited_for(strict_host: Host) -> None:
    head = f"POST /base/v2/show/x {HEAD}content-length: 1001\r\n\r\n"
    with strict_host.raw(head.encode()) as sock:
        assert sock.recv(12) == b"HTTP/1.1 500"


@EACH_BACKEND
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_host_at_once_and_without_noise(backend: str, number: signal.Signals, event: str) -> None:
    with running(backend) as host:
        connection = host.connect()
        response = start(connection, "GET", f"/base/v2/endless/{event}")
        assert response.read1() == b"first"
        with host.raw(f"GET /base/v2/happened/never {HEAD}\r\n".encode()):
            begin = time.monotonic()
            host.process.send_signal(number)
            assert host.process.wait(STOPPED_WITHIN_S) == 0
            assert time.monotonic() - begin < STOPPED_WITHIN_S
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                response.read()
        connection.close()
        assert host.written() == ""


@EACH_BACKEND
def test_a_cancelled_host_stops_like_a_signalled_one(backend: str) -> None:
    with running(backend, "--cancel") as host:
        assert host.process.wait(STOPPED_WITHIN_S) == 0
        assert host.process.stdout.read() == "cancelled, 0 tasks left\n"
        assert host.written() == ""
