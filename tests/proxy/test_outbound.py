"""The function's calls use the proxy and the certificates that the environment names."""

import base64
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from proxy.outbound import problems, proxy_for
from tests.certificate import certificate_of_localhost
from tests.support import Arrived, Proxy, RawUpstream, proxy, raw_upstream, sending

COMPANY = "http://proxy.example.edu:3128"


def way(url: str, **env: str) -> str | None:
    parts = httpx.URL(url)
    return proxy_for(env, parts.scheme, parts.host, parts.port)


@pytest.mark.parametrize(
    ("env", "url", "through"),
    [
        ({}, "https://a.example", None),
        ({"HTTPS_PROXY": COMPANY}, "https://a.example", COMPANY),
        ({"https_proxy": COMPANY}, "https://a.example", COMPANY),
        ({"HTTPS_PROXY": "http://other:1", "https_proxy": COMPANY}, "https://a.example", COMPANY),
        ({"HTTPS_PROXY": COMPANY, "https_proxy": ""}, "https://a.example", None),
        ({"HTTPS_PROXY": "proxy.example.edu:3128"}, "https://a.example", COMPANY),
        ({"HTTPS_PROXY": COMPANY}, "http://a.example", None),
        ({"HTTP_PROXY": COMPANY}, "https://a.example", None),
        ({"http_proxy": COMPANY}, "http://127.0.0.1:1", COMPANY),
        ({"ALL_PROXY": COMPANY}, "https://a.example", COMPANY),
        ({"all_proxy": COMPANY}, "http://a.example", COMPANY),
        ({"ALL_PROXY": "http://other:1", "HTTPS_PROXY": COMPANY}, "https://a.example", COMPANY),
    ],
)
def test_the_variables_are_read_as_curl_reads_them(env: dict[str, str], url: str, through: str | None) -> None:
    assert way(url, **env) == through


@pytest.mark.parametrize(
    ("listed", "direct"),
    [
        *[(listed, True) for listed in ("*", "a.example", "b.a.example", ".example", "*.example", "x, EXAMPLE ,y")],
        *[(listed, True) for listed in ("b.a.example:443", "example:443", "10.0.0.0/8,example")],
        *[(listed, False) for listed in ("", ",", "c.a.example", "ample", "b.a.example:8443", "10.0.0.0/8", "b.a")],
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_exempts_names_and_what_is_below_them(name: str, listed: str, direct: bool) -> None:
    assert (way("https://b.a.example", HTTPS_PROXY=COMPANY, **{name: listed}) is None) == direct


@pytest.mark.parametrize(
    ("listed", "host", "direct"),
    [
        ("10.0.0.0/8", "10.2.3.4", True),
        ("10.0.0.1/8", "10.2.3.4", True),
        ("10.2.3.4", "10.2.3.4", True),
        ("10.0.0.0/8", "11.2.3.4", False),
        ("fd00::/8", "[fd00::1]", True),
        ("fd00::1", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("nonsense/8,10.0.0.0/99", "10.2.3.4", False),
    ],
)
def test_no_proxy_exempts_addresses_and_networks(listed: str, host: str, direct: bool) -> None:
    assert (way(f"https://{host}", HTTPS_PROXY=COMPANY, NO_PROXY=listed) is None) == direct


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.129.2"])
def test_no_proxy_is_asked_for_what_is_where_the_identity_endpoint_is(host: str) -> None:
    env = {"HTTP_PROXY": COMPANY, "IDENTITY_ENDPOINT": f"http://{host}:8081/msi/token"}
    assert way(f"http://{host}:8081", **env) is None
    assert way(f"http://{host}:8082", **env) == COMPANY
    assert way("http://10.1.1.1:8081", **env | {"IDENTITY_ENDPOINT": "http://10.1.1.1:8081/x"}) == COMPANY


@pytest.mark.parametrize(
    "bad", ["socks5://a:1", "ftp://a", "http://", "http://a:b", "http://a:0", "http://[::1", "http://a/path", "://a"]
)
def test_a_proxy_that_is_none_is_a_problem_that_keeps_its_password(bad: str) -> None:
    secret = bad.replace("://", "://user:secret@")
    for value in (bad, secret):
        (problem,) = problems({"HTTPS_PROXY": value}, "https://a.example")
        assert problem.startswith("HTTPS_PROXY ")
        assert "secret" not in problem
    assert not [*problems({"HTTPS_PROXY": bad, "NO_PROXY": "a.example"}, "https://a.example")], "it is not used"
    assert not [*problems({"HTTP_PROXY": bad}, "https://a.example")]


def test_good_ones_are_no_problem(tmp_path: Path) -> None:
    certificate = certificate_of_localhost(tmp_path)
    env = {"SSL_CERT_FILE": str(certificate), "SSL_CERT_DIR": str(tmp_path)}
    for value in (COMPANY, f"{COMPANY}/", "http://user:p%40ss@a:1", "https://a", "a:1", "http://[::1]:1"):
        assert not [*problems(env | {"ALL_PROXY": value}, "https://a.example")]


def test_certificates_that_are_none_are_problems(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for env in ({"SSL_CERT_FILE": str(empty)}, {"SSL_CERT_FILE": "/nowhere"}, {"SSL_CERT_DIR": "/nowhere"}):
        (problem,) = problems(env, "https://a.example")
        assert problem.startswith(next(iter(env)))


# --- through the real function ----------------------------------------------------------------------------------------


@contextmanager
def company() -> Iterator[RawUpstream]:
    """A company's proxy: it opens tunnels, and answers requests over plain HTTP itself."""

    def answer(arrived: Arrived, sock: socket.socket) -> None:
        if not arrived.line.startswith("CONNECT"):
            sending(b'{"of":"the proxy"}', b"content-type: application/json")(arrived, sock)
            return
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        host, _, port = arrived.line.split()[1].rpartition(":")
        with socket.create_connection((host, int(port))) as beyond:
            there = threading.Thread(target=pump, args=(sock, beyond))
            there.start()
            pump(beyond, sock)
            there.join()

    with raw_upstream() as running:
        running.answer = answer
        yield running


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of_localhost(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(certificate: Path) -> Iterator[str]:
    """The address of an Azure with the company's own certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    def converse(sock: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(sock, server_side=True) as wrapped:
            while b"\r\n\r\n" not in wrapped.recv(65536):
                pass
            body = b'{"of":"Azure"}'
            wrapped.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def ask(running: Proxy) -> httpx.Response:
    url, body = f"{running.base_url}/chat/completions?a=1", {"messages": []}
    return httpx.post(url, json=body, headers=running.headers, timeout=30, trust_env=False)


def test_plain_http_goes_to_the_proxy_as_a_whole_url() -> None:
    with company() as via, raw_upstream() as azure:
        through = {"HTTP_PROXY": via.base.replace("://", "://user:p%40ss%3A@")}
        with proxy(azure.base, through) as running:
            assert [ask(running).json() for _ in range(2)] == [{"of": "the proxy"}] * 2
        assert [arrived.line for arrived in via.arrived] == [
            f"POST {azure.base}/openai/v1/chat/completions?a=1 HTTP/1.1"
        ] * 2
        for arrived in via.arrived:
            assert arrived.headers["host"] == azure.base.removeprefix("http://")
            assert arrived.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'user:p@ss:').decode()}"
        assert not azure.arrived


def test_https_goes_through_a_tunnel_and_the_proxy_sees_no_token(secure: str, certificate: Path) -> None:
    with company() as via:
        through = {"HTTPS_PROXY": via.base.replace("://", "://user:pass@"), "SSL_CERT_FILE": str(certificate)}
        with proxy(secure, through) as running:
            assert ask(running).json() == {"of": "Azure"}
        (arrived,) = via.arrived
        assert arrived.line == f"CONNECT {secure.removeprefix('https://')} HTTP/1.1"
        assert arrived.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'user:pass').decode()}"
        assert not {"authorization", "x-functions-key"} & {*arrived.headers}


def test_no_proxy_is_honoured(secure: str, certificate: Path) -> None:
    with company() as via:
        env = {"HTTPS_PROXY": via.base, "NO_PROXY": "example.edu,localhost", "SSL_CERT_FILE": str(certificate)}
        with proxy(secure, env) as running:
            assert ask(running).json() == {"of": "Azure"}
        assert not via.arrived


@pytest.fixture(scope="module")
def refused(secure: str) -> Iterator[tuple[RawUpstream, Proxy]]:
    """A proxy that refuses, and the function that must use it."""
    with raw_upstream() as via, proxy(secure, {"HTTPS_PROXY": via.base}) as running:
        yield via, running


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"403 Forbidden", b"503 Busy"])
def test_a_proxy_that_refuses_is_named(refused: tuple[RawUpstream, Proxy], status: bytes) -> None:
    via, running = refused
    via.answer = sending(b"", status=status)
    answer = ask(running)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")
    assert "proxy" in answer.json()["error"]["message"]
    assert answer.headers.get("x-should-retry") == (None if status.startswith(b"5") else "false")


def test_a_folder_of_certificates_is_trusted_as_well(secure: str, certificate: Path, tmp_path: Path) -> None:
    with proxy(secure) as running:
        assert ask(running).json()["error"]["code"] == "upstream_unreachable", "nobody else trusts it"
    (tmp_path / f"{hash_of(certificate)}.0").write_bytes(certificate.read_bytes())
    with proxy(secure, {"SSL_CERT_DIR": str(tmp_path)}) as running:
        assert ask(running).json() == {"of": "Azure"}


def hash_of(certificate: Path) -> str:
    """The file name by which OpenSSL finds a certificate in a folder."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_bad_proxy_is_misconfigured_and_says_no_password() -> None:
    with proxy("https://a.example", {"https_proxy": "socks5://user:secret@a:1"}) as running:
        answer = ask(running)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "misconfigured")
        assert "https_proxy" in answer.text
        assert "secret" not in answer.text
