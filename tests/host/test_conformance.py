"""Each request reaches the right function: keys and routes, on every backend, over real sockets."""

from urllib.parse import quote

import pytest

from tests.host.hosts import ANOTHER_KEY, AUTHORITY, KEY, MASTER_KEY, Host, LocalHost

# --- keys


@pytest.mark.parametrize("key", [None, "wrong", "", KEY[:-2]], ids=["none", "wrong", "empty", "prefix"])
def test_without_a_good_key_the_answer_is_401_without_a_body(host: Host, key: str | None) -> None:
    reply = host.ask("GET", "/base/v2/text", key=key)
    assert (reply.status, reply.body) == (401, b"")


def test_without_a_good_key_the_function_is_not_called(host: Host, event: str) -> None:
    for key in KEY, "wrong", None, KEY:
        reply = host.ask("GET", f"/base/v2/count/{event}", key=key)
    assert reply.json == 2


def test_without_a_good_key_the_body_is_not_waited_for(host: Host) -> None:
    with host.raw(f"POST /base/v2/echo HTTP/1.1\r\nhost: {AUTHORITY}\r\ncontent-length: 1000\r\n\r\n".encode()) as sock:
        assert sock.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("key", [KEY, ANOTHER_KEY, MASTER_KEY])
def test_every_named_key_is_accepted(host: Host, key: str) -> None:
    assert host.ask("GET", "/base/v2/text", key=key).status == 200


@pytest.mark.parametrize("query", [f"code={quote(KEY, '')}", f"x=1&code={quote(ANOTHER_KEY, '')}&code=wrong"])
def test_a_good_code_in_the_query_is_enough(host: Host, query: str) -> None:
    assert host.ask("GET", f"/base/v2/text?{query}", key=None).status == 200


@pytest.mark.parametrize("query", ["code=wrong", "code=", "code", f"Xcode={quote(ANOTHER_KEY, '')}"])
def test_a_wrong_or_empty_code_is_401(host: Host, query: str) -> None:
    assert host.ask("GET", f"/base/v2/text?{query}", key=None).status == 401


def test_an_empty_key_header_hides_a_good_code(host: Host) -> None:
    assert host.ask("GET", f"/base/v2/text?code={quote(ANOTHER_KEY, '')}", key="").status == 401


def test_a_wrong_key_header_hides_a_good_code(host: Host) -> None:
    assert host.ask("GET", f"/base/v2/text?code={quote(ANOTHER_KEY, '')}", key="wrong").status == 401


def test_a_good_key_header_beats_a_wrong_code(host: Host) -> None:
    assert host.ask("GET", "/base/v2/text?code=wrong").status == 200


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_an_anonymous_function_needs_no_key(host: Host, key: str | None) -> None:
    assert host.ask("GET", "/base/v2/anonymous", key=key).json == "come in"


@pytest.mark.parametrize(("key", "status"), [(MASTER_KEY, 200), (KEY, 401), (None, 401)])
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
        ("leaf", "parameter"),
        ("LEAF/", "parameter"),
        ("7", "parameter"),
        ("x/y", "catch-all"),
        ("", "catch-all"),
    ],
)
def test_the_first_name_answers_and_a_literal_does_not_go_before_a_parameter(
    host: Host, path: str, winner: str
) -> None:
    assert host.ask("GET", f"/base/v2/tree/{path}").json == winner


def test_a_route_with_another_method_does_not_hide_the_next(host: Host) -> None:
    assert host.ask("POST", "/base/v2/by-method/leaf", body=b"").json == "first name"
    assert host.ask("GET", "/base/v2/by-method/leaf").json == "second name"
    assert host.ask("GET", "/base/v2/by-method/other").status == 404


def test_an_escaped_slash_stays_in_its_segment_and_arrives_escaped(host: Host) -> None:
    assert host.ask("GET", "/base/v2/tree/a%2Fb").json == "parameter"
    assert host.ask("GET", "/base/v2/show/a%2Fb%20c/%C3%A9").json["parameters"] == {"rest": "a%2Fb c/é"}


def test_a_parameter_without_a_value_is_absent(host: Host) -> None:
    assert host.ask("GET", "/base/v2/show").json["parameters"] == {}


@pytest.mark.parametrize("path", ["/base/v2/show/../text", "/base/v2/x/%2e%2E/./text", "/../base/v2/text"])
def test_dots_in_a_path_are_followed_before_a_function_is_looked_for(host: Host, path: str) -> None:
    assert host.ask("GET", path).json == "hello"


def test_an_escaped_null_in_a_path_is_400_without_a_body(host: Host) -> None:
    reply = host.ask("GET", "/base/v2/show/a%00b")
    assert (reply.status, reply.body) == (400, b"")


def test_a_constraint_does_not_change_the_type_of_its_parameter(host: Host) -> None:
    assert host.ask("GET", "/base/v2/numbers/0012").json == {"number": "0012"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_function_that_names_no_method_takes_every_one(host: Host, method: str) -> None:
    assert host.ask(method, "/base/v2/show/x", body=b"").json["method"] == method


def test_ready_means_listening_and_names_the_routes_with_their_prefix(host: LocalHost) -> None:
    assert {"/Base/v2/show/{*rest}", "/Base/v2/text", "/Base/v2/tree/leaf"} <= set(host.routes)
