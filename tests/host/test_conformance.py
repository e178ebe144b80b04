"""What the Functions host promises to clients and functions, asked of every backend over real sockets."""

import gzip
import http.client
import json
import re
import statistics
import time
from contextlib import ExitStack

import pytest

from tests.host.hosts import KEY, Host, receive, start

TEN_MEGABYTES = 10 * 1024 * 1024
HEAD = f"HTTP/1.1\r\nhost: x\r\nx-functions-key: {KEY}\r\n"


# --- keys


@pytest.mark.parametrize("key", [None, "wrong", "", "right+key"], ids=["none", "wrong", "empty", "prefix"])
def test_without_a_good_key_the_answer_is_401_without_a_body(host: Host, key: str | None) -> None:
    reply = host.ask("GET", "/base/v2/text", key=key)
    assert (reply.status, reply.body) == (401, b"")


def test_without_a_good_key_the_function_is_not_called(host: Host, event: str) -> None:
    for key in KEY, "wrong", None, KEY:
        reply = host.ask("GET", f"/base/v2/count/{event}", key=key)
    assert reply.json == 2


def test_without_a_good_key_the_body_is_not_waited_for(host: Host) -> None:
    with host.raw(b"POST /base/v2/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n") as sock:
        assert sock.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("key", [KEY, "another-key", "master-key"])
def test_every_named_key_is_accepted(host: Host, key: str) -> None:
    assert host.ask("GET", "/base/v2/text", key=key).status == 200


@pytest.mark.parametrize("query", ["code=right%2Bkey%2F%3D%3D", "x=1&code=another-key&code=wrong"])
def test_a_good_code_in_the_query_is_enough(host: Host, query: str) -> None:
    assert host.ask("GET", f"/base/v2/text?{query}", key=None).status == 200


@pytest.mark.parametrize("query", ["code=wrong", "code=", "code", "Xcode=another-key"])
def test_a_wrong_or_empty_code_is_401(host: Host, query: str) -> None:
    assert host.ask("GET", f"/base/v2/text?{query}", key=None).status == 401


def test_an_empty_key_header_hides_a_good_code(host: Host) -> None:
    assert host.ask("GET", "/base/v2/text?code=another-key", key="").status == 401


def test_a_wrong_key_header_hides_a_good_code(host: Host) -> None:
    assert host.ask("GET", "/base/v2/text?code=another-key", key="wrong").status == 401


def test_a_good_key_header_beats_a_wrong_code(host: Host) -> None:
    assert host.ask("GET", "/base/v2/text?code=wrong").status == 200


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_an_anonymous_function_needs_no_key(host: Host, key: str | None) -> None:
    assert host.ask("GET", "/base/v2/anonymous", key=key).json == "come in"


@pytest.mark.parametrize(("key", "status"), [("master-key", 200), (KEY, 401), (None, 401)])
def test_an_admin_function_takes_the_master_key_only(host: Host, key: str | None, status: int) -> None:
    assert host.ask("GET", "/base/v2/for-admins", key=key).status == status


def test_the_key_and_the_code_reach_the_function(host: Host) -> None:
    seen = host.ask("GET", "/base/v2/show/x?code=wrong&y=1").json
    assert seen["query"] == "code=wrong&y=1"
    assert ["x-functions-key", KEY] in seen["headers"]


# --- routes


@pytest.mark.parametrize("key", [KEY, None], ids=["key", "no-key"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/base/v2/unknown"),
        ("GET", "/text"),
        ("GET", "/v2/text"),
        ("GET", "/base/v2"),
        ("GET", "/"),
        ("GET", "/api/text"),
        ("GET", "/base/v2/only-post"),
        ("GET", "/base/v2/text/more"),
        ("GET", "/base/v2//text"),
        ("GET", "/base/v2/numbers/ten"),
        ("GET", "/base/v2/numbers/9"),
        ("GET", "/docs"),
    ],
)
def test_an_unknown_route_or_method_is_404_without_a_body(host: Host, method: str, path: str, key: str | None) -> None:
    reply = host.ask(method, path, key=key)
    assert (reply.status, reply.body) == (404, b"")


@pytest.mark.parametrize("path", ["/BASE/V2/TEXT", "/base/v2/Text/", "/base/v2/te%78t"])
def test_case_a_trailing_slash_and_needless_escapes_make_no_difference(host: Host, path: str) -> None:
    assert host.ask("GET", path).status == 200


@pytest.mark.parametrize(
    ("path", "winner"),
    [
        ("leaf", "literal"),
        ("LEAF/", "literal"),
        ("7", "constraint"),
        ("x", "parameter"),
        ("x/y", "catch-all"),
        ("", "catch-all"),
    ],
)
def test_literals_beat_constraints_beat_parameters_beat_catch_alls(host: Host, path: str, winner: str) -> None:
    assert host.ask("GET", f"/base/v2/tree/{path}").json == winner


def test_a_route_with_another_method_does_not_hide_the_next_best(host: Host) -> None:
    assert host.ask("POST", "/base/v2/tree/leaf").json == "parameter"


def test_an_escaped_slash_stays_in_its_segment_and_arrives_decoded(host: Host) -> None:
    assert host.ask("GET", "/base/v2/tree/a%2Fb").json == "parameter"
    assert host.ask("GET", "/base/v2/show/a%2Fb%20c/%C3%A9").json["parameters"] == {"rest": "a/b c/é"}


def test_a_constraint_does_not_change_the_type_of_its_parameter(host: Host) -> None:
    assert host.ask("GET", "/base/v2/numbers/0012").json == {"number": "0012"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_function_that_names_no_method_takes_every_one(host: Host, method: str) -> None:
    assert host.ask(method, "/base/v2/show/x", body=b"").json["method"] == method


def test_ready_means_listening_and_names_the_routes_with_their_prefix(host: Host) -> None:
    assert {"/Base/v2/show/{*rest}", "/Base/v2/text", "/Base/v2/tree/leaf"} <= set(host.routes)


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


@pytest.mark.parametrize("path", ["raises", "nothing"])
def test_a_handler_that_raises_or_returns_none_is_500_without_detail(host: Host, path: str) -> None:
    reply = host.ask("GET", f"/base/v2/{path}")
    assert (reply.status, reply.body) == (500, b"Internal Server Error")


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


# --- streams


def test_each_frame_arrives_before_the_next_is_made(host: Host, event: str) -> None:
    connection = host.connect()
    response = start(connection, "GET", f"/base/v2/frames/{event}")
    for i in range(3):
        assert response.read1() == f"frame {i}".encode()
        host.ask("POST", f"/base/v2/happen/{event}-{i}")
    assert response.read() == b""
    connection.close()


def test_each_piece_of_a_request_arrives_before_the_next_is_sent(host: Host, event: str) -> None:
    def pieces():
        yield b"first"
        assert host.ask("GET", f"/base/v2/happened/{event}").status == 200
        yield b"second"

    assert host.ask("POST", f"/base/v2/upload/{event}", pieces()).json == len("firstsecond")


def test_an_answer_can_begin_before_the_request_has_ended(host: Host) -> None:
    with host.raw(f"POST /base/v2/echo {HEAD}transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n".encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read1() == b"first"
        sock.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        assert response.read() == b"second"


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
    with pytest.raises(http.client.IncompleteRead):
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


def test_requests_that_are_over_are_forgotten(host: Host) -> None:
    for path in "text", "raises", "nothing":
        host.ask("GET", f"/base/v2/{path}")
    with pytest.raises(http.client.IncompleteRead):
        host.ask("GET", "/base/v2/breaks")
    assert host.ask("GET", "/base/v2/leftovers").json == 0
