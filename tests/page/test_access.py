"""The control API refuses callers who may not use it, on every route."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.page import export
from emulator.page.access import Access
from emulator.page.asked import MOST_BODY_BYTES
from emulator.page.control import WITH_BODY, Control
from emulator.page.routes import API, ROUTES, Route
from emulator.page.subject import Subject
from emulator.server import bind, serving
from tests.page.conftest import Running

ALL = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.shown}")
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:7072",
    "127.0.0.1.nip.io",
    "localhost.evil.example",
    "localhost.",
    "127.0.0.1@evil.example",
    "[::2]",
    "0.0.0.0",  # noqa: S104
    "",
]
OWN_HOSTS = ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:7072", "[::1]"]
FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://localhost:7072"},
    {"origin": "{base}.evil.example"},
    {"origin": "{base}/"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "{base}"},
    {"sec-fetch-site": ""},
]
BODIES = {"stubs": {"then": {"answers": "It rains."}, "when": {"contains": "weather"}}}
TOKEN = "a-token-of-this-run"

pytestmark = pytest.mark.usefixtures("files")


def path_of(route: Route, number: int = 1) -> str:
    return route.shown.format(number=number, name="chat/question", file="main.js")


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def use(running: Running, route: Route, headers: dict[str, str], path: str | None = None) -> httpx.Response:
    """Uses the route in the way that a page of the control API's own site would."""
    body = {"json": BODIES.get(route.shown, {})} if route.method in WITH_BODY else {}
    return running.api(route.method, path or path_of(route), headers=headers, **body)


@ALL
def test_a_page_of_another_site_gets_nothing(running: Running, route: Route) -> None:
    running.ask()
    running.azure.misbehave("server_error")
    for header in FOREIGN:
        answer = use(running, route, {name: value.format(base=running.base) for name, value in header.items()})
        assert (answer.status_code, code(answer)) == (403, "foreign_origin"), header
    assert (str(running.azure.fault), len(running.azure.journal.exchanges)) == ("server_error", 1), "nothing changed"


@ALL
def test_a_name_that_was_rebound_to_this_machine_gets_nothing(running: Running, route: Route) -> None:
    running.ask()
    for host in FOREIGN_HOSTS:
        answer = use(running, route, {"host": host})
        assert (answer.status_code, code(answer)) == (403, "foreign_host"), host
    assert len(running.azure.journal.exchanges) == 1


@ALL
def test_this_machines_own_pages_and_programs_are_answered(running: Running, route: Route) -> None:
    port = urlsplit(running.base).port
    own = {"host": f"localhost:{port}", "origin": f"http://localhost:{port}", "sec-fetch-site": "same-origin"}
    for headers in (own, {}, {"sec-fetch-site": "none"}, *({"host": host} for host in OWN_HOSTS)):
        running.ask()
        number = running.azure.journal.exchanges[-1].number
        answer = use(running, route, headers, path_of(route, number))
        assert answer.status_code == 200, (headers, answer.text)


@ALL
def test_no_answer_tells_a_browser_that_it_may_be_read_elsewhere_or_run(running: Running, route: Route) -> None:
    running.ask()
    number = running.azure.journal.exchanges[-1].number
    path = path_of(route, number)
    for answer in (use(running, route, {}, path), use(running, route, {"host": "evil.example"}, path)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        allowed = set(answer.headers["content-security-policy"].split("; "))
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= allowed
        assert ("html" in answer.headers["content-type"]) == (route.is_document and answer.status_code == 200)
        assert len(allowed) == 2 or (route.is_page and "trusted-types 'none'" in allowed)


@ALL
def test_another_method_is_refused_and_a_preflight_allows_nothing(running: Running, route: Route) -> None:
    allowed = {other.method for other in ROUTES if other.shown == route.shown}
    for method in {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
        answer = running.api(method, path_of(route))
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == allowed
    preflight = {"origin": "http://evil.example", "access-control-request-method": "PATCH"}
    assert running.api("OPTIONS", path_of(route), headers=preflight).status_code == 403


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method in WITH_BODY], ids=lambda r: r.shown)
def test_what_a_form_can_send_changes_nothing(running: Running, route: Route) -> None:
    running.ask()
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "", "text/json"):
        answer = running.api(route.method, path_of(route), content=b"{}", headers={"content-type": kind})
        assert (answer.status_code, code(answer)) == (415, "unsupported_media_type"), kind
    squeezed = {"content-type": "application/json", "content-encoding": "gzip"}
    assert running.api(route.method, path_of(route), content=b"{}", headers=squeezed).status_code == 415
    assert len(running.azure.journal.exchanges) == 1


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method in WITH_BODY], ids=lambda r: r.shown)
@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", "invalid_control"),
        (b"[]", "invalid_control"),
        (b'"x"', "invalid_control"),
        (b"{", "invalid_control"),
        (b'{"fault":null,"fault":null}', "invalid_control"),
        (b'{"time_scale":NaN}', "invalid_control"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "invalid_control"),
        (b"\xff{}", "invalid_control"),
        (b'{"fault":"' + b"a" * MOST_BODY_BYTES + b'"}', "too_large"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_json_object_changes_nothing(running: Running, route: Route, body: bytes, refused: str) -> None:
    answer = running.api(route.method, path_of(route), content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, code(answer)) == (413 if refused == "too_large" else 400, refused)


def test_a_body_without_a_length_is_read_no_further_than_its_limit(running: Running) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b"a" * 10_000

    answer = running.api("PATCH", "state", content=pieces(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_query_is_what_the_route_takes(running: Running) -> None:
    for path in (
        "state?x=1",
        "calls?limit=0",
        "calls?limit=1e3",
        "calls?limit=2000",
        "calls?after=-1",
        "calls?ended=1",
    ):
        assert code(running.api("GET", path)) == "invalid_query", path
    assert code(running.api("GET", "calls?limit=1&limit=2")) == "invalid_query"
    assert code(running.api("GET", "calls?" + "&".join(f"a{n}=1" for n in range(30)))) == "invalid_query"
    assert code(running.api("GET", "calls?after=²")) == "invalid_query"
    assert code(running.api("GET", "calls?wait=31")) == "invalid_query"
    assert code(running.api("GET", "calls?count=2")) == "invalid_query"


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "state/",
        "static",
        "static/",
        "static/..%2findex.html",
        "static/static/main.js",
        "states",
        "calls/x",
        "calls/-1",
        "calls/1/x",
        "..%2fstate",
        "%2e%2e/_emulator/state",
    ],
)
def test_an_unknown_path_lists_the_routes(running: Running, path: str) -> None:
    answer = running.client.send(
        running.client.build_request("GET", httpx.URL(running.base, raw_path=f"/_emulator/{path}".encode()))
    )
    assert (answer.status_code, code(answer)) == (404, "no_such_route")
    assert "calls/{number}" in answer.json()["error"]["message"]


def raw(base: str, request: bytes) -> bytes:
    address = urlsplit(base)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as sock:
        sock.sendall(request)
        sock.settimeout(5)
        got = b""
        while part := sock.recv(65536):
            got += part
    return got


def test_two_hosts_or_none_are_refused(running: Running) -> None:
    end = b"connection: close\r\n\r\n"
    for hosts in (b"", b"host: localhost\r\nhost: evil.example\r\n", b"host: evil.example\r\nhost: localhost\r\n"):
        assert raw(running.base, b"GET /_emulator/state HTTP/1.1\r\n" + hosts + end).startswith(b"HTTP/1.1 4")
    old = raw(running.base, b"GET /_emulator/state HTTP/1.0\r\n\r\n")
    assert b" 403 " in old.partition(b"\r\n")[0]


def test_a_websocket_is_never_opened(running: Running) -> None:
    """A browser opens a WebSocket from a page of any site, without a preflight."""
    key = b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n"
    closing = b"connection: close\r\n\r\n"
    own = raw(running.base, b"GET /_emulator/state HTTP/1.1\r\nhost: localhost\r\n" + key + closing)
    assert own.startswith(b"HTTP/1.1 200")
    foreign = b"host: localhost\r\norigin: http://evil.example\r\n"
    refused = raw(running.base, b"GET /_emulator/calls HTTP/1.1\r\n" + foreign + key + closing)
    assert refused.startswith(b"HTTP/1.1 403")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Running]:
    """A control API beyond loopback, with a token and a name of its own."""
    azure = FakeAzure(Library())
    with serving(azure, bind(0)) as base, Control(subject := Subject(azure), Access(["emulator"], TOKEN)):
        running = Running(subject, base)
        with running.client:
            yield running


@pytest.mark.parametrize("route", API, ids=lambda route: f"{route.method} {route.shown}")
def test_where_there_is_a_token_nobody_gets_anything_without_it(guarded: Running, route: Route) -> None:
    wrong = [
        {},
        *({"authorization": shown} for shown in ("Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer", f"bearer {TOKEN}x")),
    ]
    for headers in wrong:
        answer = use(guarded, route, headers | {"host": "emulator:7072"})
        assert (answer.status_code, code(answer)) == (401, "token_required"), headers
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    query = use(guarded, route, {"host": "emulator"}, f"{path_of(route)}?token={TOKEN}")
    assert query.status_code == 401, "an address ends up in logs"


def test_the_token_opens_it_under_the_names_that_were_given(guarded: Running) -> None:
    shown = {"authorization": f"Bearer {TOKEN}"}
    for host in ("emulator", "Emulator:7072", "localhost:7072"):
        assert guarded.api("GET", "state", headers=shown | {"host": host}).status_code == 200
    for host in ("evil.example", "emulator.evil.example"):
        assert guarded.api("GET", "state", headers=shown | {"host": host}).status_code == 403


def test_without_a_token_only_this_machine_is_answered() -> None:
    """The check holds even where a server listens beyond loopback."""
    scope = {"headers": [(b"host", b"localhost")], "client": ("192.0.2.7", 5)}
    for client in (("192.0.2.7", 5), None):
        with pytest.raises(Exception, match="Only this machine"):
            Access().check(scope | {"client": client})
    Access().check(scope | {"client": ("127.0.0.1", 5)})


def test_no_credential_is_in_any_answer(running: Running) -> None:
    """The call has the key headers of every client, and a key in its address."""
    shown = {
        "api-key": running.azure.api_key,
        "authorization": "Bearer sk-made-up-bearer",
        "x-functions-key": "made-up-function-key",
        "cookie": "session=made-up-cookie",
        "x-api-key": "made-up-x-key",
        "ocp-apim-subscription-key": "made-up-apim-key",
    }
    running.client.post("/openai/v1/chat/completions?code=made-up-code&api-version=1", content=b"{}", headers=shown)
    running.client.post("/openai/v1/chat/completions?C%4fDE=made-up-code", content=b"{}", headers=shown)
    numbers = [exchange.number for exchange in running.azure.journal.exchanges]
    for route in ROUTES:
        for number in numbers:
            forms = [f"?as={form}" for form in export.FORMS] if "export" in route.shown else [""]
            for form in forms:
                path = path_of(route, number) + form
                if route.method == "GET":
                    text = running.api("GET", path).text
                    assert "made-up" not in text, path
                    assert running.azure.api_key not in text, path
    assert json.dumps(running.get("calls")).count("code=hidden") == 1


def test_azures_own_key_check_is_what_it_was_unless_any_key_is_one(running: Running) -> None:
    shown = [{"api-key": "mine"}, {"authorization": "Bearer mine", "api-key": ""}, {"api-key": ""}]
    assert [running.ask(**headers).status_code for headers in shown] == [401] * 3
    running.azure.any_key = True
    try:
        assert [running.ask(**headers).status_code for headers in shown] == [200, 200, 401]
    finally:
        running.azure.any_key = False
