"""A header that is not ASCII does not get from Azure's host to the function."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.support import Proxy, RawUpstream

CASES = {  # as recorded from the Functions host; proxy/worker.py ends the wait of the second
    "Latin-1": ("café".encode("latin-1"), b"400 Bad Request", b""),
    "UTF-8": ("café".encode(), b"500 Internal Server Error", b"the header user-agent is not ASCII"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_header_that_is_not_ascii_ends_in_an_error(upstream: RawUpstream, behind: Proxy, name: str) -> None:
    written, status, reason = CASES[name]
    upstream.arrived = []
    key, body = behind.headers["x-functions-key"].encode(), b'{"model":"gpt-4o-mini"}'
    head = b"POST /api/v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-functions-key: %s\r\n" % key
    port = urlsplit(behind.base_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(head + b"user-agent: %s\r\ncontent-length: %d\r\n\r\n%s" % (written, len(body), body))
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.endswith(reason)
    assert not upstream.arrived
