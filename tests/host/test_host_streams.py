"""The host collects no stream on its way, and notices a caller who leaves, on every backend."""

import http.client
import json
from contextlib import ExitStack

import pytest

from tests.host.hosts import HEAD, Host, start

TEN_MEGABYTES = 10 * 1024 * 1024


def test_each_frame_arrives_before_the_next_is_made(host: Host, event: str) -> None:
    connection = host.connect()
    response = start(connection, "GET", f"/base/v2/frames/{event}")
    for i in range(3):
        assert response.read1() == f"frame {i}".encode()
        host.ask("POST", f"/base/v2/happen/{event}-{i}")
    assert response.read() == b""
    connection.close()


def test_each_piece_of_a_chunked_request_arrives_before_the_next_is_sent(host: Host, event: str) -> None:
    def pieces():
        yield b"first"
        assert host.ask("GET", f"/base/v2/happened/{event}").status == 200
        yield b"second"

    assert host.ask("POST", f"/base/v2/upload/{event}", pieces()).json == len("firstsecond")


def test_a_body_with_a_length_is_here_whole_before_the_function_is_called(host: Host, event: str) -> None:
    request = f"POST /base/v2/count/{event} {HEAD}content-length: 10\r\n\r\nfirst"
    with host.raw(request.encode()) as sock:
        assert host.ask("GET", f"/base/v2/count/{event}").json == 1
        sock.sendall(b"last!")
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert json.load(response) == 2


def test_the_head_of_an_answer_leaves_with_its_first_byte(host: Host, event: str) -> None:
    with host.raw(f"GET /base/v2/later/{event} {HEAD}\r\n".encode()) as sock:
        assert host.ask("GET", f"/base/v2/happened/{event}-begins").status == 200
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        host.ask("POST", f"/base/v2/happen/{event}")
        sock.settimeout(5)
        assert sock.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_a_stream_that_breaks_before_its_first_byte_is_a_500(host: Host) -> None:
    reply = host.ask("GET", "/base/v2/breaks-at-once")
    assert (reply.status, reply.body) == (500, b"")


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_ten_megabytes_go_both_ways(host: Host, chunked: bool) -> None:
    body = bytes(range(256)) * (TEN_MEGABYTES // 256)
    pieces = (body[i : i + 300_000] for i in range(0, len(body), 300_000))
    reply = host.ask("POST", "/base/v2/mirror", pieces if chunked else body)
    assert reply.status == 200
    assert reply.body == body


def test_a_client_that_expects_100_continue_gets_it(host: Host) -> None:
    with host.raw(f"POST /base/v2/show/x {HEAD}expect: 100-continue\r\ncontent-length: 2\r\n\r\n".encode()) as sock:
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"ok")
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert json.load(response)["body"] == "ok"


def test_a_failure_in_mid_answer_breaks_the_connection(host: Host) -> None:
    connection = host.connect()
    response = start(connection, "GET", "/base/v2/breaks")
    assert (response.status, response.read1()) == (200, b"first")
    with pytest.raises(ConnectionResetError):
        response.read()
    connection.close()


def test_a_client_that_leaves_in_mid_answer_cancels_the_generator(host: Host, event: str) -> None:
    connection = host.connect()
    response = start(connection, "GET", f"/base/v2/endless/{event}")
    assert response.read1() == b"first"
    response.close()
    connection.close()
    assert host.ask("GET", f"/base/v2/happened/{event}").status == 200


@pytest.mark.parametrize("function", ["polls", "receives"])
@pytest.mark.parametrize("body", ["", "content-length: 2\r\n\r\nhi"], ids=["no-body", "body"])
def test_a_client_that_leaves_before_the_answer_is_noticed(host: Host, event: str, function: str, body: str) -> None:
    with host.raw(f"POST /base/v2/{function}/{event} {HEAD}{body or chr(13) + chr(10)}".encode()):
        assert host.ask("GET", f"/base/v2/happened/{event}-begins").status == 200
    assert host.ask("GET", f"/base/v2/happened/{event}").status == 200


def test_a_hundred_requests_are_served_at_once(host: Host, event: str) -> None:
    with ExitStack() as stack:
        request = f"GET /base/v2/happened/{event} {HEAD}\r\n".encode()
        socks = [stack.enter_context(host.raw(request)) for _ in range(100)]
        host.ask("POST", f"/base/v2/happen/{event}")
        assert {sock.recv(12) for sock in socks} == {b"HTTP/1.1 200"}


def test_the_worker_remembers_every_call_until_the_app_makes_it_forget(host: Host) -> None:
    """Microsoft's worker does the same. This project's function makes it forget, with proxy/worker.py."""
    before = host.ask("GET", "/base/v2/leftovers").json
    for path in "text", "raises", "nothing":
        host.ask("GET", f"/base/v2/{path}")
    assert host.ask("GET", "/base/v2/leftovers").json == before + 4
