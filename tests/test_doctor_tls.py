"""The doctor over TLS trusts the certificates that the OpenAI SDK trusts, and says so where it does not."""

import socket
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from emulator.doctor.check import Check
from emulator.doctor.examination import Doctor
from emulator.doctor.troubleshooting import meaning_of
from tests.certificate import certificate_of_localhost


class Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"data": [{"id": "m"}]}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of_localhost(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def base_url(certificate: Path) -> Iterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that does not trust it leaves
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"https://localhost:{server.server_port}/api/v1"
        server.shutdown()


def examined(base_url: str) -> dict[str, Check]:
    return {check.name: check for check in Doctor(base_url, "a-key", calls=False).examine()}


def test_a_certificate_that_is_not_trusted(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    *_, last = examined(base_url).values()
    assert (last.name, last.result, last.meaning) == ("connection", "problem", meaning_of("no connection to the proxy"))
    port = urlsplit(base_url).port
    with socket.create_connection(("localhost", port)) as sock, pytest.raises(ssl.SSLError) as refused:
        ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")
    assert last.found == f"port {port}: {refused.value}"


def test_a_certificate_that_is_trusted(base_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    checks = examined(base_url)
    assert {check.result for check in checks.values()} == {"ok"}
    assert "TLSv1.3" in checks["connection"].found
