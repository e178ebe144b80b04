"""Azure OpenAI never redirects. A client that followed one would carry its key, and its prompt, to another host."""

import socket
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.support import Arrived, Log, Proxy, RawUpstream, raw_upstream, sending

STATUSES = (b"300", b"301", b"302", b"303", b"304", b"305", b"307", b"308", b"399")


@pytest.fixture
def elsewhere() -> Iterator[RawUpstream]:
    with raw_upstream() as running:
        running.answer = sending(b'{"choices":[]}', b"content-type: application/json")
        yield running


def redirecting(status: bytes, to: RawUpstream, kind: bytes = b"text/html") -> object:
    where = f"location: {to.base}/steal".encode()
    body = b"" if status == b"304" else b'{"secret":"of the page"}'
    return sending(body, where, b"content-location: /x", b"content-type: " + kind, status=status + b" Elsewhere")


@pytest.mark.parametrize("kind", [b"text/html", b"application/json", b"text/event-stream"])
@pytest.mark.parametrize("status", STATUSES)
def test_no_redirect_passes(
    upstream: RawUpstream, elsewhere: RawUpstream, logged: Proxy, status: bytes, kind: bytes
) -> None:
    upstream.answer = redirecting(status, elsewhere, kind)  # type: ignore[assignment]
    answers = [
        httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=logged.headers),
        httpx.get(f"{logged.base_url}/responses/resp_1?stream=true", headers=logged.headers),
        httpx.delete(f"{logged.base_url}/responses/resp_1", headers=logged.headers),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_redirect")
        assert answer.headers["x-should-retry"] == "false"
        assert not {"location", "content-location"} & set(answer.headers)
        assert "of the page" not in answer.text
    assert elsewhere.arrived == []


@pytest.mark.parametrize("status", STATUSES)
def test_no_sdk_is_led_away(upstream: RawUpstream, elsewhere: RawUpstream, logged: Proxy, status: bytes) -> None:
    upstream.answer = redirecting(status, elsewhere)  # type: ignore[assignment]
    options = {"base_url": logged.base_url, "api_key": "unused", "max_retries": 2}
    upstream.arrived = []
    with openai.OpenAI(**options, default_headers=logged.headers) as client, pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="gpt-4o-mini", messages=[])
    assert elsewhere.arrived == []
    assert len(upstream.arrived) == 1, "the SDK does not ask again"


def test_the_record_says_that_it_was_a_redirect(upstream: RawUpstream, logged: Proxy, log: Log) -> None:
    def answer(arrived: Arrived, sock: socket.socket) -> None:
        sending(b"", b"location: https://x.example/?code=secret", status=b"307 X")(arrived, sock)

    upstream.answer = answer
    headers = logged.headers | {"x-client-request-id": "redirected"}
    httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=headers)
    record = log.of("redirected")
    assert (record["status"], record["error"], record["cause"], record["detail"]) == (
        *(502, "upstream_redirect"),
        *("redirect", "307"),
    )
    assert "secret" not in log.text()
