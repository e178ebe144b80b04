"""A client that offers another protocol gets its answer over HTTP/1.1, and the server reads its body. So do the fake
Azure and the local host."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from emulator.match.library import Library
from emulator.stack import LocalStack
from tests.support import recording

BODY, LARGE = (
    b'{"model":"gpt-4o-mini"}',
    b'{"model":"gpt-4o-mini","user":"%b"}' % (b"upgrade: h2c\r\n\r\n" * 9_000).hex().encode(),
)
ANSWER = b'{"ok":1}'
SETTINGS = b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
OFFERS = {
    "as Java's HttpClient makes it": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" + SETTINGS,
    "in other letters": b"connection: keep-alive,upgrade\r\nUPGRADE: H2C\r\n" + SETTINGS,
    "of several protocols": b"upgrade: HTTP/2.0, SHTTP/1.3, IRC/6.9\r\nconnection: upgrade\r\n",
    "for one call": b"connection: close, upgrade\r\nupgrade: h2c\r\n",
    "in two headers": b"connection: HTTP2-Settings\r\nconnection: Upgrade\r\nupgrade: h2c\r\n" + SETTINGS,
}
H2C = OFFERS["as Java's HttpClient makes it"]


class Server(NamedTuple):
    url: str
    key: str
    stack: LocalStack

    def head(self, offer: bytes, framing: bytes) -> bytes:
        path = urlsplit(self.url).path.encode()
        return b"POST %b HTTP/1.1\r\nHost: x\r\n%b\r\n%b%b\r\n\r\n" % (path, self.key.encode(), offer, framing)

    def whole(self, offer: bytes = b"", body: bytes = BODY) -> bytes:
        return self.head(offer, b"Content-Length: %d" % len(body)) + body

    def chunked(self, offer: bytes, body: bytes = BODY) -> bytes:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:5], body[5:]))
        return self.head(offer, b"Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"

    def ask(self, *sent: bytes, answers: int = 1) -> bytes:
        """Sends each part by itself on one connection. Returns the bytes of up to so many answers."""
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in sent:
                sock.sendall(part)
            came = b""
            while came.count(ANSWER) < answers and (part := sock.recv(65_536)):
                came += part
        assert came.count(b"HTTP/1.1 200 OK\r\n") == answers, came
        return came


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    library = Library([recording(body, ANSWER) for body in (BODY, LARGE)])
    with LocalStack(library=library) as started:
        yield started


@pytest.fixture(params=["the fake Azure", "the local host"])
def server(request: pytest.FixtureRequest, stack: LocalStack) -> Server:
    stack.azure.reset()
    if request.param == "the local host":
        return Server(f"{stack.base_url}/chat/completions", f"x-functions-key: {stack.function_key}", stack)
    return Server(f"{stack.azure_base}/openai/v1/chat/completions", f"api-key: {stack.azure.api_key}", stack)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("body", [BODY, LARGE], ids=["short", "large"])
def test_an_offer_is_ignored_and_the_body_read(server: Server, offer: str, body: bytes) -> None:
    server.ask(server.whole(OFFERS[offer], body))
    server.ask(server.chunked(OFFERS[offer], body))
    assert [exchange.body for exchange in server.stack.azure.journal.exchanges] == [body, body]


def test_an_offer_is_ignored_wherever_the_packets_end(server: Server) -> None:
    for asked in (server.whole(H2C), server.chunked(H2C)):
        server.ask(*(asked[at : at + 1] for at in range(len(asked))))


def test_requests_on_one_connection_may_offer_it_or_not(server: Server) -> None:
    asked = [server.whole(H2C), server.whole(), server.chunked(H2C), server.whole(H2C), server.whole()]
    server.ask(b"".join(asked), answers=5)
    server.ask(*asked, answers=5)
    server.ask(server.whole(H2C) * 200, answers=200)


def test_http_1_0_may_offer_it(server: Server) -> None:
    server.ask(server.whole(H2C).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n"))


def test_who_offers_it_and_waits_is_told_to_go_on(server: Server) -> None:
    came = server.ask(server.head(H2C, b"Expect: 100-continue\r\nContent-Length: %d" % len(BODY)), BODY)
    assert came.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")


def test_curl_may_ask_for_http_2(server: Server, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(LARGE)
    command = ["curl", "-sS", "--http2", "--noproxy", "*", "-H", server.key, "--data-binary", "@body", server.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=20)
    if b"does not support" in done.stderr:
        pytest.skip("this curl knows no HTTP/2")
    assert (done.stdout, done.stderr) == (ANSWER, b"")


def test_what_was_offered_is_in_the_journal_as_it_came(stack: LocalStack) -> None:
    stack.azure.reset()
    server = Server(f"{stack.azure_base}/openai/v1/chat/completions", f"api-key: {stack.azure.api_key}", stack)
    for offer in (H2C, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"):
        server.ask(server.whole(offer))
    h2c, websocket = stack.azure.journal.exchanges
    assert [name for name, _ in h2c.headers] == [
        *("host", "api-key", "connection", "upgrade", "http2-settings", "content-length"),
    ]
    assert websocket.header("upgrade") == "websocket"
