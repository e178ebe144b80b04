"""Headers that are no ASCII reach Azure as they are."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.support import Arrived, Proxy, RawUpstream


@pytest.mark.parametrize("written", ["café".encode(), "café".encode("latin-1")], ids=["UTF-8", "Latin-1"])
def test_a_header_that_is_no_ascii_arrives_as_it_is(upstream: RawUpstream, behind: Proxy, written: bytes) -> None:
    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    upstream.answer = answer
    key, body = behind.headers["x-functions-key"].encode(), b'{"model":"gpt-4o-mini"}'
    head = b"POST /api/v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-functions-key: %s\r\n" % key
    port = urlsplit(behind.base_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(head + b"user-agent: %s\r\ncontent-length: %d\r\n\r\n%s" % (written, len(body), body))
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
    assert b"user-agent: " + written + b"\r\n" in upstream.arrived[-1].head
