"""What reaches a function and what comes back from it, byte for byte, on every backend."""

import gzip
import http.client
import json
import re
import statistics
import time
from contextlib import suppress

import pytest

from tests.host.hosts import KEY, Host, receive, start, written

HEAD = f"HTTP/1.1\r\nhost: x\r\nx-functions-key: {KEY}\r\n"


# --- what reaches the function


@pytest.mark.parametrize(
    "target",
    [
        "/base/v2/show/a%2Fb%20c/%c3%A9/(x)|~!$&'*+,;=:@?include%5B%5D=a&include[]=b&q=a+b%20c&&empty=",
        "/Base/V2/Show/a//b/./c/../d/?x=/?y&z=%",
    ],
)
def test_path_and_query_reach_the_function_byte_for_byte(host: Host, target: str) -> None:
    with host.raw(f"GET {target} {HEAD}connection: close\r\n\r\n".encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        seen = json.load(response)
    path, query = target.split("?", 1)
    assert (seen["raw_path"], seen["query"]) == (path, query)


def test_the_host_adds_only_the_invocation_id_to_the_headers(host: Host) -> None:
    with host.raw(f"GET /base/v2/show/x {HEAD}connection: close\r\n\r\n".encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        seen = json.load(response)
    assert seen["headers"] == [["host", "x"], ["x-functions-key", KEY], ["x-ms-invocation-id", seen["invocation"]]]


def test_a_clients_own_invocation_id_is_replaced_by_a_fresh_one(host: Host) -> None:
    seen = [host.ask("GET", "/base/v2/show/x", headers=[("x-ms-invocation-id", "mine")]).json for _ in range(2)]
    ids = {value for one in seen for name, value in one["headers"] if name == "x-ms-invocation-id"}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id_) for id_ in ids)


def test_repeated_and_odd_request_headers_reach_the_function_in_order(host: Host) -> None:
    sent = [
        ("x-many", "1"),
        ("accept-encoding", "br;q=0.5"),
        ("x-many", "2, 3"),
        ("cookie", "a=1"),
        ("x-odd", "caf\xe9"),
    ]
    seen = host.ask("GET", "/base/v2/show/x", headers=sent).json["headers"]
    assert [tuple(header) for header in seen if header[0] in dict(sent)] == sent


def test_the_function_knows_its_name_and_its_invocation(host: Host) -> None:
    seen = host.ask("GET", "/base/v2/show/x").json
    assert seen["function"] == "show"
    assert ["x-ms-invocation-id", seen["invocation"]] in seen["headers"]


# --- what comes back


def test_a_str_comes_back_as_json(host: Host) -> None:
    reply = host.ask("GET", "/base/v2/text")
    assert (reply.body, dict(reply.headers)["content-type"]) == (b'"hello"', "application/json")


@pytest.mark.parametrize("path", ["raises", "nothing", "no_file"])
def test_a_handler_or_an_answer_that_fails_before_it_begins_is_500_without_detail(host: Host, path: str) -> None:
    reply = host.ask("GET", f"/base/v2/{path}")
    assert (reply.status, reply.body) == (500, b"Internal Server Error")


@pytest.mark.parametrize(("path", "where"), [("raises", "in raises\n"), ("breaks", "in broken_frames\n")])
def test_the_traceback_of_a_failure_goes_to_the_hosts_log(host: Host, path: str, where: str) -> None:
    with suppress(http.client.IncompleteRead):
        host.ask("GET", f"/base/v2/{path}")
    while where not in written(host.log):  # the answer can be faster than the log
        time.sleep(0.01)
    assert "RuntimeError: a secret detail" in written(host.log)


def test_every_answer_has_one_date_and_names_no_server(host: Host) -> None:
    for path in "text", "raises", "unknown":
        names = [name for name, _ in host.ask("GET", f"/base/v2/{path}").headers]
        assert names.count("date") == 1
        assert "server" not in names


def test_requests_with_bodies_survive_handlers_that_raise_on_the_same_connection(host: Host) -> None:
    connection = host.connect()
    for _ in range(5):
        assert receive(start(connection, "POST", "/base/v2/raises", b"x" * 1_000_000))[0] == 500
        assert receive(start(connection, "POST", "/base/v2/echo", b"again"))[2] == b"again"
    connection.close()


def test_a_def_handler_runs_in_a_thread(host: Host) -> None:
    assert host.ask("GET", "/base/v2/thread").json == {"main": False, "path": "/base/v2/thread"}


def test_status_headers_and_body_come_back_as_the_function_made_them(host: Host) -> None:
    reply = host.ask("GET", "/base/v2/answer")
    assert (reply.status, reply.body) == (418, gzip.compress(b"tea", mtime=0))
    assert [header for header in reply.headers if header[0] != "date"] == [
        ("content-encoding", "gzip"),
        ("content-length", str(len(reply.body))),
        ("content-type", "text/plain; charset=utf-8"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x-odd", "caf\xe9"),
    ]


def test_a_head_request_gets_headers_and_no_body(host: Host) -> None:
    reply = host.ask("HEAD", "/base/v2/text")
    assert (reply.status, reply.body, dict(reply.headers)["content-length"]) == (200, b"", "7")


def test_a_small_answer_is_not_held_back(host: Host) -> None:
    """Two small writes without TCP_NODELAY take 40 ms, the client's delayed acknowledgement."""
    connection = host.connect()
    times = []
    for _ in range(15):
        begin = time.perf_counter()
        receive(start(connection, "GET", "/base/v2/text"))
        times.append(time.perf_counter() - begin)
    connection.close()
    assert statistics.median(times) < 0.03
