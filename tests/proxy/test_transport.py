"""The proxy uses connections to Azure again, and never mistakes the bytes of one answer for another's."""

import asyncio
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from proxy import upstream as own
from proxy.transport import Transport
from tests.support import Arrived, RawUpstream, raw_upstream

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def azure() -> Iterator[RawUpstream]:
    with raw_upstream() as running:
        yield running


def asked(azure: RawUpstream, *methods: str, body: bytes = b"", headers: dict[str, str] | None = None) -> list[int]:
    """The statuses of requests, one after the other over one transport."""

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=Transport(5)) as client:
            answers = [await client.request(name, azure.base, content=body, headers=headers) for name in methods]
            return [answer.status_code for answer in answers]

    return asyncio.run(ask())


@pytest.mark.parametrize("interim", [b"100 Continue", b"103 Early Hints"])
def test_an_interim_answer_is_not_taken_for_the_answer(azure: RawUpstream, interim: bytes) -> None:
    azure.answer = lambda _, sock: sock.sendall(b"HTTP/1.1 %s\r\nlink: </x>\r\n\r\n%s" % (interim, ANSWER))
    assert asked(azure, "POST", "POST") == [200, 200]


def test_a_connection_is_used_again(azure: RawUpstream) -> None:
    azure.answer = lambda _, sock: sock.sendall(ANSWER)
    assert asked(azure, *["POST"] * 5) == [200] * 5
    assert {arrived.connection for arrived in azure.arrived} == {1}


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", ANSWER + b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["Azure closes it", "more came than was asked for"],
)
def test_a_connection_that_cannot_be_used_again_is_not(azure: RawUpstream, answer: bytes) -> None:
    azure.answer = lambda _, sock: sock.sendall(answer)
    assert asked(azure, "POST", "POST") == [200, 200]
    assert {arrived.connection for arrived in azure.arrived} == {1, 2}


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1), ("DELETE", 1)])
def test_only_a_get_that_met_a_closing_connection_is_sent_again(azure: RawUpstream, method: str, times: int) -> None:
    azure.answer = lambda _, sock: sock.shutdown(socket.SHUT_RDWR)
    with pytest.raises(httpx.NetworkError):
        asked(azure, method)
    assert len(azure.arrived) == times


def test_an_answer_to_head_has_no_body_to_wait_for(azure: RawUpstream) -> None:
    azure.answer = lambda _, sock: sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    assert asked(azure, "HEAD", "HEAD") == [200, 200]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 5_000_000])
def test_a_body_of_any_size_arrives(azure: RawUpstream, size: int) -> None:
    azure.answer = lambda _, sock: sock.sendall(ANSWER)
    assert asked(azure, "POST", body=b"x" * size) == [200]
    assert azure.arrived[-1].body == b"x" * size


def test_an_answer_that_comes_before_the_body_has_left_is_heard(azure: RawUpstream) -> None:
    """A server may refuse a body without reading it to its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        azure.port, answer = listener.getsockname()[1], b"HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n"

        async def ask() -> int:
            async with httpx.AsyncClient(transport=Transport(5)) as client:
                asking = asyncio.create_task(client.post(azure.base, content=b"x" * 50_000_000))
                sock, _ = await asyncio.to_thread(listener.accept)
                with sock:
                    sock.sendall(answer)
                    return (await asking).status_code

        assert asyncio.run(ask()) == 413


def test_a_silent_azure_is_a_time_out_and_costs_its_connection(azure: RawUpstream) -> None:
    def silent(_: Arrived, sock: socket.socket) -> None:
        time.sleep(0.5)

    azure.answer = silent

    async def ask() -> None:
        async with httpx.AsyncClient(transport=Transport(0.1)) as client:
            for _ in range(2):
                with pytest.raises(httpx.TimeoutException):
                    await client.post(azure.base)

    asyncio.run(ask())
    assert {arrived.connection for arrived in azure.arrived} == {1, 2}


@pytest.mark.parametrize("value", ["a\r\nx-forged: 1", "a\nb", "a\rb"])
def test_a_header_with_a_line_break_does_not_leave(azure: RawUpstream, value: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        asked(azure, "GET", headers={"x-client-request-id": value})
    assert not azure.arrived


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_request_is_what_httpx_makes_of_it(method: str, body: bytes) -> None:
    url, headers = "https://lab.openai.azure.com:8443/openai/v1/x?a=%2F&b=~", [(b"accept", b"*/*")]
    mine = own.request(method, url, headers, body)
    theirs = httpx.Request(method, url, headers=headers, content=body)
    assert (mine.method, mine.url) == (theirs.method, theirs.url)
    assert {*mine.headers.items()} == {*theirs.headers.items()}
