"""The proxy changes nothing: bytes, headers and query strings on the way up and on the way back."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from openai import OpenAI

from emulator.emulation import Emulator
from emulator.stack import CASSETTES
from emulator.tape import cassette
from emulator.tape.cassette import Interaction
from tests.e2e.scenarios import chat

NAMES = [name for path, name in cassette.find([CASSETTES]) if path.suffix == ".yaml"]
DROPPED = {"strict-transport-security", "set-cookie", "server", "alt-svc"}
ITS_OWN = {  # headers of the connection to the caller, and those that the proxy adds
    *("date", "content-length", "transfer-encoding", "connection"),
    "server-timing",
    "server",  # of the web server inside the worker
}
SECRETS = {
    "authorization": "Bearer of-the-caller",
    "api-key": "of-the-caller",
    "cookie": "session=of-the-caller",
    "x-forwarded-for": "192.0.2.1",
}


def send(emulator: Emulator, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[Any, bytes]:
    """Sends exactly these bytes. Returns the answer and its body. `path` begins below the base URL."""
    base = urlsplit(emulator.stack.base_url)
    connection = http.client.HTTPConnection(base.netloc, timeout=30)
    try:
        named = {"x-functions-key": emulator.stack.function_key, "content-type": "application/json", **headers}
        connection.request(method, base.path + path, body, named)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def replayed(emulator: Emulator, interaction: Interaction, **headers: str) -> tuple[Any, bytes]:
    asked = interaction.request
    path = asked.uri.partition("/openai/v1")[2]
    kind = {name: value for name, value in asked.headers if name == "content-type"}  # a form's names its boundary
    return send(emulator, asked.method, path, asked.body, **kind, **headers)


def one(name: str) -> Interaction:
    return cassette.load(CASSETTES / f"{name}.yaml", name).interactions[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_comes_back_byte_for_byte(name: str, aoai_emulator: Emulator) -> None:
    for interaction in cassette.load(CASSETTES / f"{name}.yaml", name).interactions:
        recorded = interaction.response
        answer, body = replayed(aoai_emulator, interaction)
        assert (answer.status, body) == (recorded.status, recorded.body)
        arrived = aoai_emulator.requests[-1]
        assert arrived.recording == interaction.label
        assert arrived.body == interaction.request.body
        sent = {(name.lower(), value) for name, value in recorded.headers if name.lower() not in DROPPED | ITS_OWN}
        got = {(name, value) for name, value in answer.getheaders() if name not in ITS_OWN}
        assert got == sent


@pytest.mark.parametrize("name", ["chat/question", "chat/stream"])
def test_a_recording_is_framed_as_it_was(name: str, aoai_emulator: Emulator) -> None:
    answer, body = replayed(aoai_emulator, one(name))
    chunked = one(name).response.header("transfer-encoding")
    assert answer.getheader("transfer-encoding", "") == chunked
    assert answer.getheader("content-length") == (None if chunked else str(len(body)))


def test_azures_date_does_not_pose_as_the_answers_date(aoai_emulator: Emulator) -> None:
    answer, _ = replayed(aoai_emulator, one("chat/question"))
    assert answer.getheader("date") != one("chat/question").response.header("date")
    assert answer.getheader("strict-transport-security") is None


def test_nothing_of_the_callers_identity_reaches_azure(aoai_emulator: Emulator) -> None:
    replayed(aoai_emulator, one("chat/question"), **SECRETS)
    (arrived,) = aoai_emulator.requests
    names = {name for name, _ in arrived.headers}
    assert names == {"host", "accept-encoding", "content-type", "content-length", "authorization"}
    everything = arrived.target + str(arrived.headers)
    assert "of-the-caller" not in everything
    assert aoai_emulator.stack.function_key not in everything


def test_azure_sees_a_token_of_the_managed_identity(aoai_emulator: Emulator) -> None:
    replayed(aoai_emulator, one("chat/question"))
    scheme, _, token = str(aoai_emulator.requests[0].header("authorization")).partition(" ")
    assert scheme == "Bearer"
    assert aoai_emulator.azure.identity.accepts(token)


def test_azure_sees_its_own_host_name(aoai_emulator: Emulator) -> None:
    replayed(aoai_emulator, one("chat/question"), host="elsewhere.example")
    assert aoai_emulator.requests[0].header("host") == urlsplit(aoai_emulator.stack.azure_base).netloc


def test_the_headers_that_name_a_call_reach_azure(aoai_emulator: Emulator) -> None:
    wanted = {
        "accept": "application/json",
        "openai-organization": "org-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "user-agent": "a test",
        "x-client-request-id": "mine",
        "x-ms-client-request-id": "mine too",
        "x-stainless-retry-count": "0",
    }
    replayed(aoai_emulator, one("chat/question"), **wanted)
    assert wanted.items() <= dict(aoai_emulator.requests[0].headers).items()


def test_the_sdks_bytes_arrive_as_it_sent_them(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    sent: list[bytes] = []

    def keep(request: httpx.Request) -> None:
        sent.append(request.read())

    openai_client._client.event_hooks["request"].append(keep)
    chat.conversation(openai_client)
    chat.emoji(openai_client)
    assert [request.body for request in aoai_emulator.requests] == sent
    assert json.loads(sent[0])["temperature"] == 0.2


@pytest.mark.aoai_allow_unmatched
def test_spaces_escapes_and_huge_numbers_arrive_as_they_were(aoai_emulator: Emulator) -> None:
    numbers, text = b'"seed" : 123456789012345678901234567890,\r\n "temperature":1.0e0', b'"user":"\\u00e9/\\/"'
    body = b"{ " + numbers + b', "model":"gpt-4o-mini" ,' + text + b"}"
    send(aoai_emulator, "POST", "/chat/completions", body)
    assert aoai_emulator.requests[0].body == body


@pytest.mark.aoai_allow_unmatched
@pytest.mark.parametrize(
    "query",
    [
        "include%5B%5D=a%2Fb&include%5B%5D=c",
        "include[]=reasoning.encrypted_content",
        "after=x+y%20z&limit=2&order=asc",
        "stream=true&starting_after=3",
        "empty=&flag",
        "%C3%BC=%F0%9F%8E%89",
    ],
)
def test_a_query_string_survives_as_it_is(query: str, aoai_emulator: Emulator) -> None:
    send(aoai_emulator, "GET", f"/responses/resp_1?{query}")
    assert aoai_emulator.requests[0].target == f"/openai/v1/responses/resp_1?{query}"


@pytest.mark.aoai_allow_unmatched
def test_a_key_in_the_query_stays_with_the_host(aoai_emulator: Emulator) -> None:
    key = aoai_emulator.stack.function_key
    send(aoai_emulator, "GET", f"/responses/resp_1?limit=2&code={key}&clientId=me&order=asc")
    assert aoai_emulator.requests[0].target == "/openai/v1/responses/resp_1?limit=2&order=asc"


@pytest.mark.aoai_allow_unmatched
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/responses/resp_1"),
        ("DELETE", "/responses/resp_1"),
        ("POST", "/responses/resp_1/cancel"),
        ("GET", "/responses/resp_1/input_items"),
    ],
)
def test_every_route_of_a_response_reaches_azure(method: str, path: str, aoai_emulator: Emulator) -> None:
    send(aoai_emulator, method, path)
    (arrived,) = aoai_emulator.requests
    assert (arrived.method, arrived.target, arrived.body) == (method, f"/openai/v1{path}", b"")


def test_a_stream_arrives_frame_by_frame(aoai_emulator: Emulator) -> None:
    """Azure holds each frame back until the caller has the one before. A proxy that collects frames would never end."""
    import asyncio
    import threading

    got = threading.Semaphore(1)

    async def after_the_last(_: Any, number: int) -> None:
        assert await asyncio.to_thread(got.acquire, timeout=5), f"the caller never got frame {number - 1}"

    aoai_emulator.azure.hold = after_the_last
    recorded = one("chat/stream")
    stack, frames = aoai_emulator.stack, []
    headers = {"x-functions-key": stack.function_key, "content-type": "application/json"}
    with httpx.stream(
        "POST", f"{stack.base_url}/chat/completions", content=recorded.request.body, headers=headers
    ) as answer:
        for piece in answer.iter_raw():
            frames.append(piece)
            got.release()
    assert b"".join(frames) == recorded.response.body
    assert len(frames) == recorded.response.body.count(b"\n\n")
