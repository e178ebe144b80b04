"""Requests reach a function, and answers come back, byte for byte as in Azure, on every backend."""

import gzip
import http.client
import json
import statistics
import time
from contextlib import suppress

import pytest

from tests.host.hosts import AUTHORITY, HEAD, KEY, Host, LocalHost, receive, start

# --- what reaches the function


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/base/v2/show/a%2Fb%20c/%c3%a9/(x)!$&'*+,;=:@", "/base/v2/show/a%252Fb%20c/%C3%A9/(x)!$&'*+,;=:@"),
        ("/Base/V2/Show/a//b/./c/../d/?x=/?y&z=%", "/Base/V2/Show/a//b/d/?x=/?y&z=%25"),
        ("/base/v2/show/x?include%5B%5D=a&include[]=b&q=a+b%20c&&empty=&%61=#f", None),
    ],
)
def test_path_and_query_are_written_anew(host: Host, sent: str, seen: str | None) -> None:
    """The host decodes a path and encodes it again; in a query only letters and digits lose their escapes."""
    seen = seen or "/base/v2/show/x?include%5B%5D=a&include[]=b&q=a+b%20c&&empty=&a=%23f"
    with host.raw(f"GET {sent} {HEAD}connection: close\r\n\r\n".encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        shown = json.load(response)
    assert shown["raw_path"] + "?" * ("?" in seen) + shown["query"] == seen


def test_the_function_sees_the_workers_address_and_whom_the_host_forwards_for(host: Host) -> None:
    with host.raw(f"GET /base/v2/show/x {HEAD}connection: close\r\n\r\n".encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        shown = json.load(response)
    headers = dict(shown["headers"])
    assert headers.pop("host").startswith("127.0.0.1:")
    assert headers == {
        "x-functions-key": KEY,
        "x-ms-invocation-id": shown["invocation"],
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": AUTHORITY,
        "x-forwarded-proto": "http",
    }


def test_repeated_request_headers_arrive_as_one(host: Host) -> None:
    sent = [("x-many", "1"), ("accept-encoding", "br;q=0.5"), ("x-many", "2, 3"), ("cookie", "a=1"), ("cookie", "b=2")]
    sent += [("x-half", "1"), ("x-half", ""), ("x-gap", "1"), ("x-gap", ""), ("x-gap", "2")]
    seen = dict(host.ask("GET", "/base/v2/show/x", headers=sent).json["headers"])
    assert [seen[name] for name in ("x-many", "accept-encoding", "cookie")] == ["1, 2, 3", "br;q=0.5", "a=1; b=2"]
    assert [seen[name] for name in ("x-half", "x-gap")] == ["1,", "1, , 2"]


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
def test_the_traceback_of_a_failure_goes_to_the_hosts_log(host: LocalHost, path: str, where: str) -> None:
    with suppress(ConnectionResetError):
        host.ask("GET", f"/base/v2/{path}")
    while where not in host.written():  # the answer can be faster than the log
        time.sleep(0.01)
    assert "RuntimeError: a secret detail" in host.written()


def test_every_answer_has_one_date_and_that_of_a_function_names_the_workers_server(host: Host) -> None:
    for path, server in ("text", ["uvicorn"]), ("raises", ["uvicorn"]), ("unknown", []):
        headers = host.ask("GET", f"/base/v2/{path}").headers
        assert [name for name, _ in headers].count("date") == 1
        assert [value for name, value in headers if name == "server"] == server


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
    assert (reply.status, gzip.decompress(reply.body)) == (418, b"tea")
    assert [header for header in reply.headers if header[0] not in ("date", "server")] == [
        ("content-encoding", "gzip"),
        ("content-length", str(len(reply.body))),
        ("content-type", "text/plain; charset=utf-8"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ]


@pytest.mark.parametrize(("name", "body"), [("odd", b""), ("long", b"Internal Server Error")])
def test_an_answer_whose_headers_do_not_come_through_is_a_500(host: Host, name: str, body: bytes) -> None:
    """Such headers are not ASCII, or above 64 KB. The host repeats a GET, but the worker has given its answer away."""
    reply = host.ask("GET", f"/base/v2/{name}-header")
    assert (reply.status, reply.body) == (500, body)


@pytest.mark.parametrize("status", [200, 404])
def test_a_client_that_asks_to_close_sees_the_connection_closed(host: Host, status: int) -> None:
    path = {200: "text", 404: "unknown"}[status]
    with host.raw(f"GET /base/v2/{path} {HEAD}connection: Close, x\r\n\r\n".encode()) as sock:
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nconnection: close\r\n" in answer.lower()


# --- what never reaches the function

UPGRADE = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
NEVER = {  # in Azure no byte comes back
    "a header that is not ASCII": ("GET", "x-odd: caf\u00e9\r\n", "x-odd is not ASCII"),
    "an invocation id of the caller's": ("GET", "x-ms-invocation-id: mine\r\n", "x-ms-invocation-id"),
    "a WebSocket": ("GET", UPGRADE, "WebSocket"),
    "CONNECT": ("CONNECT", "", "CONNECT"),
}
STAYS = {  # the worker's server answers, and the invocation waits for ever
    "a line break": ("GET", "/base/v2/show/a%0Ab", "", b"404"),
    "a method of no route": ("PROPFIND", "/base/v2/show/x", "", b"405"),
    "a method that llhttp does not know": ("FOO", "/base/v2/show/x", "", b"400"),
    "a control character": ("GET", "/base/v2/show/x", "x-odd: a\x01b\r\n", b"400"),
}


@pytest.mark.parametrize("name", NEVER)
def test_a_call_that_azure_would_never_answer_is_a_500_that_says_so(host: LocalHost, name: str) -> None:
    method, headers, reason = NEVER[name]
    with host.unanswered(1), host.raw(f"{method} /base/v2/show/x {HEAD}{headers}\r\n".encode()) as sock:
        answer = b"".join(iter(lambda: sock.recv(65_536), b"")).decode()
    assert answer.startswith("HTTP/1.1 500 ")
    assert "in Azure this call would never be answered: " in answer
    assert reason in answer


@pytest.mark.parametrize("name", STAYS)
def test_a_call_that_would_stay_open_in_the_worker_is_told(host: LocalHost, name: str) -> None:
    method, path, headers, status = STAYS[name]
    request = f"{method} {path} {HEAD}connection: close\r\n{headers}\r\n"
    with host.unanswered(1), host.raw(request.encode()) as sock:
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert answer.split(b" ")[1] == status


def test_a_header_that_is_no_utf_8_is_refused_at_once(host: Host) -> None:
    with host.raw(f"GET /base/v2/show/x {HEAD}x-odd: caf\xe9\r\n\r\n".encode("latin-1")) as sock:
        assert b"".join(iter(lambda: sock.recv(65_536), b"")).startswith(b"HTTP/1.1 400 ")


ODD_HEADS = {  # (head after the request line, status): Kestrel takes and refuses other heads than llhttp
    "an upgrade that is not for WebSockets": ("connection: Upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n", 200),
    "a signed length": ("content-length: +2\r\n", 200),
    "a length beside chunks": ("content-length: 9\r\ntransfer-encoding: chunked\r\n", 200),
    "two lengths": ("content-length: 2\r\ncontent-length: 2\r\n", 400),
    "a folded header": ("x-a: b\r\n c\r\ncontent-length: 2\r\n", 400),
    "a blank in a name": ("x a: b\r\ncontent-length: 2\r\n", 400),
    "another coding": ("transfer-encoding: gzip\r\n", 400),
    "101 headers": ("".join(f"x-{i}: v\r\n" for i in range(98)) + "content-length: 2\r\n", 431),
    "long headers": (f"x-a: {'a' * 33_000}\r\ncontent-length: 2\r\n", 431),
    "an empty host": ("content-length: 2\r\n", 500),
}


@pytest.mark.parametrize("name", ODD_HEADS)
def test_a_head_is_read_as_kestrel_reads_it(host: Host, name: str) -> None:
    head, status = ODD_HEADS[name]
    body = "2\r\nhi\r\n0\r\n\r\n" if "chunked" in head else "hi"
    first = HEAD.replace(f"host: {AUTHORITY}", "host:") if name == "an empty host" else HEAD
    with host.raw(f"POST /base/v2/show/x {first}{head}\r\n{body}".encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.status == status
        if status == 200:
            assert json.load(response)["body"] == "hi"


FIRST_LINES = {
    "an older POST without a length": ("POST /base/v2/show/x HTTP/1.0", 400),
    "another version": ("GET /base/v2/show/x HTTP/1.2", 505),
    "two blanks": ("GET  /base/v2/show/x HTTP/1.1", 400),
    "the whole URL": (f"GET http://{AUTHORITY}/base/v2/show/x HTTP/1.1", 200),
    "the URL of another host": ("GET http://other/base/v2/show/x HTTP/1.1", 400),
}


@pytest.mark.parametrize("name", FIRST_LINES)
def test_a_first_line_is_read_as_kestrel_reads_it(host: Host, name: str) -> None:
    line, status = FIRST_LINES[name]
    with host.raw(f"{line}{HEAD.removeprefix('HTTP/1.1')}\r\n".encode()) as sock:
        assert sock.recv(12) == f"HTTP/1.1 {status}".encode()


@pytest.mark.parametrize("authority", ["a b", "a/b", "a,b", ":80", "a:", "a:b", "u@a", "[::1", "a%20b"])
def test_a_host_that_is_none_is_400(host: Host, authority: str) -> None:
    request = f"GET /base/v2/show/x {HEAD}\r\n".replace(f"host: {AUTHORITY}", f"host: {authority}")
    with host.raw(request.encode()) as sock:
        assert sock.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("length", [8_000, 8_300])
def test_a_request_line_has_8192_bytes_at_most(host: Host, length: int) -> None:
    assert host.ask("GET", f"/base/v2/show/{'a' * length}").status == (200 if length == 8_000 else 414)


@pytest.mark.parametrize("method", ["get", "Get"])
def test_a_methods_case_makes_no_difference(host: Host, method: str) -> None:
    assert host.ask(method, "/base/v2/show/x").json["method"] == "GET"


def test_trailers_do_not_reach_the_function(host: Host) -> None:
    request = f"POST /base/v2/show/x {HEAD}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-trailer: 1\r\n\r\n"
    with host.raw(request.encode()) as sock:
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert "x-trailer" not in dict(json.load(response)["headers"])


def test_preflights_are_the_platforms(host: Host) -> None:
    asked = [("origin", "https://a.example"), ("access-control-request-method", "POST")]
    for path in "text", "unknown":
        reply = host.ask("OPTIONS", f"/base/v2/{path}", key=None, headers=asked)
        assert (reply.status, reply.body) == (204, b"")


def test_the_root_is_the_platforms_page(host: Host) -> None:
    reply = host.ask("GET", "/", key=None)
    assert reply.status == 200
    assert dict(reply.headers)["content-type"] == "text/html"


def test_a_head_request_gets_headers_and_no_body(host: Host) -> None:
    reply = host.ask("HEAD", "/base/v2/text")
    assert (reply.status, reply.body, dict(reply.headers)["content-length"]) == (200, b"", "7")


def test_a_small_answer_is_not_held_back(host: Host) -> None:
    """Without TCP_NODELAY, two small writes wait 40 ms for the client's delayed acknowledgement."""
    connection = host.connect()
    times = []
    for _ in range(15):
        begin = time.perf_counter()
        receive(start(connection, "GET", "/base/v2/text"))
        times.append(time.perf_counter() - begin)
    connection.close()
    assert statistics.median(times) < 0.03
