"""Headers pass up to the Functions host's limit. Above it an error explains."""

import httpx
import pytest

from proxy.head import HEAD_BYTES
from tests.support import Proxy, RawUpstream, sending

FITS = {
    "one of 8,191 bytes": [b"x-long: " + b"a" * 8_191],
    "one of 60,000 bytes": [b"x-long: " + b"a" * 60_000],
    "several long ones": [b"x-long-%d: %s" % (n, b"a" * 12_000) for n in range(5)],
    "129 fields": [b"x-many-%d: v" % n for n in range(129)],
    "3,000 fields": [b"x-many-%d: v" % n for n in range(3_000)],
    "one name again and again": [b"x-again: v"] * 500,
    "64,000 bytes together": [b"x-many-%04d: %s" % (n, b"a" * 48) for n in range(1_000)],
}
TOO_LONG = {
    "one of 66,000 bytes": [b"x-long: " + b"a" * 66_000],
    "several long ones": [b"x-long-%d: %s" % (n, b"a" * 15_000) for n in range(5)],
    "9,000 fields": [b"x-many-%04d: v" % n for n in range(9_000)],
    "20,000 short fields": [b"a:"] * 20_000,
    "a long name": [b"x" * 70_000 + b": v"],
}


def ask(running: Proxy, stream: bool) -> httpx.Response:
    body = {"messages": [], "stream": stream}
    return httpx.post(f"{running.base_url}/chat/completions", json=body, headers=running.headers, timeout=30)


@pytest.mark.parametrize("status", [b"200 OK", b"429 Slow down"])
@pytest.mark.parametrize("case", FITS)
def test_headers_of_up_to_64_kilobytes_pass(upstream: RawUpstream, behind: Proxy, case: str, status: bytes) -> None:
    upstream.answer = sending(b"{}", *FITS[case], status=status)
    answer = ask(behind, stream=False)
    assert (answer.status_code, answer.content) == (int(status[:3]), b"{}")
    sent = [(name.decode(), value.strip().decode()) for name, _, value in (line.partition(b":") for line in FITS[case])]
    names = {name for name, _ in sent}
    assert [(name, value) for name, value in answer.headers.multi_items() if name in names] == sent


def test_a_stream_with_long_headers_passes(upstream: RawUpstream, behind: Proxy) -> None:
    events = b"data: [DONE]\n\n"
    upstream.answer = sending(events, b"content-type: text/event-stream", b"x-long: " + b"a" * 40_000)
    answer = ask(behind, stream=True)
    assert (answer.content, len(answer.headers["x-long"])) == (events, 40_000)


@pytest.mark.parametrize("case", TOO_LONG)
def test_longer_headers_are_a_502_that_says_so(upstream: RawUpstream, behind: Proxy, case: str) -> None:
    upstream.answer = sending(b"{}", *TOO_LONG[case])
    answer = ask(behind, stream=False)
    assert answer.status_code == 502
    assert f"more than {HEAD_BYTES:,} bytes of headers" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
