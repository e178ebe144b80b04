"""`Server-Timing` tells every caller how long a call took where."""

import socket
import time
from collections.abc import Callable

import httpx

from tests.support import Arrived, Proxy, RawUpstream

PROMPT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}


def timings(answer: httpx.Response) -> dict[str, float]:
    """All `Server-Timing` headers of an answer as one list, as a browser reads them."""
    metrics = [metric.strip().split(";dur=") for metric in answer.headers.get("server-timing", "").split(",")]
    return {name: float(duration) for name, duration in metrics}


def answers(head: str) -> Callable[[Arrived, socket.socket], None]:
    return lambda _, sock: sock.sendall(f"HTTP/1.1 200 OK\r\n{head}content-length: 2\r\n\r\n{{}}".encode())


def post(behind: Proxy) -> httpx.Response:
    return httpx.post(f"{behind.base_url}/chat/completions", json=PROMPT, headers=behind.headers)


def test_every_answer_says_whose_time_it_took(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer = answers("")
    assert set(timings(post(behind))) == {"upstream", "proxy"}
    for own in ("models", "models/gpt-9", "nothing"):
        answer = httpx.get(f"{behind.base_url}/{own}", headers=behind.headers)
        assert timings(answer)["upstream"] == 0
        assert set(timings(answer)) == {"upstream", "proxy"}


def test_azures_own_timing_stays_beside_it(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer = answers("server-timing: model;dur=12\r\n")
    assert list(timings(post(behind))) == ["model", "upstream", "proxy"]


def test_a_wait_for_azure_is_not_the_proxys(upstream: RawUpstream, behind: Proxy) -> None:
    def slow(_: Arrived, sock: socket.socket) -> None:
        time.sleep(0.3)
        sock.sendall(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")

    upstream.answer = slow
    answer = post(behind)
    assert answer.status_code == 502
    assert timings(answer)["upstream"] >= 300 > timings(answer)["proxy"]
