"""No client raises when a stream ends cleanly but too early. The proxy breaks the stream off, so that clients raise."""

import json
import socket
from collections.abc import Callable

import httpx
import openai
import pytest

from proxy.ending import ENDINGS, Ending
from tests.support import Arrived, Proxy, RawUpstream

CHAT = b'data: {"choices":[{"delta":{"content":"Hi"},"index":0}],"id":"c","object":"chat.completion.chunk"}\n\n'
DONE = b"data: [DONE]\n\n"
JSON = {"content-type": "application/json"}
CREATED = b'event: response.created\ndata: {"type":"response.created","response":{"id":"r","status":"in_progress"}}\n\n'
DELTA = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n'
ERROR = b'event: error\ndata: {"type":"error","code":"x","message":"m","sequence_number":2}\n\n'


def last(kind: str) -> bytes:
    return b'event: response.%s\ndata: {"type":"response.%s","response":{"id":"r"}}\n\n' % ((kind.encode(),) * 2)


COMPLETED, FAILED = last("completed"), last("failed")
FILTERED = b'data: {"choices":[{"content_filter_offsets":{"check_offset":4},"finish_reason":null,"index":0}]}\n\n'
QUOTED = rb'data: {"choices":[{"delta":{"content":"\ndata: [DONE]\n\n"}}]}' + b"\n\n"
QUOTED_TYPE = rb'data: {"type":"response.output_text.delta","delta":"\"type\":\"response.completed\""}' + b"\n\n"
LONG = COMPLETED.replace(b'"id":"r"', b'"id":"r","output":"%s"' % (b"x" * 100_000))
CRLF = (CHAT + DONE).replace(b"\n", b"\r\n")


def media(kind: str, more: bytes = b"") -> bytes:
    return b'event: %s\ndata: {"type":"%s"%s}\n\n' % (kind.encode(), kind.encode(), more)


PARTIAL = media("image_generation.partial_image", b',"b64_json":"%s"' % (b"A" * 9_000))
MADE = media("image_generation.completed", b',"b64_json":"%s","usage":{"total_tokens":3}' % (b"A" * 50_000))
EDITED = MADE.replace(b"image_generation", b"image_edit")
HEARD, WRITTEN = media("transcript.text.delta", b',"delta":"Hi"'), media("transcript.text.done", b',"text":"Hi"')
SPOKEN = media("speech.audio.delta", b',"audio":"AAAA"')
QUOTED_DONE = media("transcript.text.delta", rb',"delta":"\"type\":\"transcript.text.done\""')

WHOLE = {
    "chat": ("chat/completions", CHAT + DONE),
    "chat without the space": ("chat/completions", CHAT.replace(b": ", b":") + b"data:[DONE]\n\n"),
    "chat with CRLF": ("chat/completions", CRLF),
    "chat, the last line feeds missing": ("chat/completions", CHAT + b"data: [DONE]"),
    "chat, two choices": ("chat/completions", CHAT + CHAT.replace(b'"index":0', b'"index":1') + DONE),
    "chat, a verdict of the filter last": ("chat/completions", CHAT + FILTERED + DONE),
    "chat, nothing but its end": ("chat/completions", DONE),
    "chat, an error": ("chat/completions", CHAT + b'data: {"error":{"message":"m"}}\n\n'),
    "chat, an error first": ("chat/completions", b'data: {"error":{"message":"m"}}\n\n'),
    "response completed": ("responses", CREATED + COMPLETED),
    "response incomplete": ("responses", CREATED + last("incomplete")),
    "response failed": ("responses", CREATED + FAILED),
    "response failed, then why": ("responses", CREATED + FAILED + ERROR),
    "response, an error alone": ("responses", CREATED + ERROR),
    "response, its end longer than what is kept": ("responses", CREATED + LONG),
    "response without `event` lines": ("responses", CREATED + b'data: {"type": "response.completed"}\n\n'),
    "response with CRLF": ("responses", (CREATED + COMPLETED).replace(b"\n", b"\r\n")),
    "response, a comment last": ("responses", CREATED + COMPLETED + b": bye\n\n"),
    "response taken up again": ("responses/{response_id}", DELTA + COMPLETED),
    "response taken up again after its end": ("responses/{response_id}", b""),
    "an image": ("images/generations", PARTIAL + MADE),
    "two images": ("images/generations", MADE + MADE),
    "an image, then the mark of a chat": ("images/generations", MADE + DONE),
    "an image with nothing but the mark of a chat": ("images/generations", PARTIAL + DONE),
    "an edited image": ("images/edits", PARTIAL.replace(b"image_generation", b"image_edit") + EDITED),
    "an image, an error": ("images/generations", PARTIAL + ERROR),
    "a transcript": ("audio/transcriptions", HEARD + WRITTEN),
    "a speech": ("audio/speech", SPOKEN + media("speech.audio.done")),
    "another event stream": ("embeddings", b"data: 1\n\n"),
}
EARLY = {
    "an image": ("images/generations", PARTIAL),
    "an image, cut in its last event": ("images/generations", PARTIAL + MADE[:-10]),
    "an edited image that ends as another": ("images/edits", MADE),
    "a transcript": ("audio/transcriptions", HEARD),
    "a transcript that quotes an end": ("audio/transcriptions", QUOTED_DONE),
    "a speech": ("audio/speech", SPOKEN),
    "chat": ("chat/completions", CHAT),
    "chat, nothing": ("chat/completions", b""),
    "chat with an error that is none": ("chat/completions", b'data: {"error":null,"choices":[]}\n\n'),
    "chat that quotes an end": ("chat/completions", QUOTED),
    "chat, cut in its end": ("chat/completions", CHAT + DONE[:11]),
    "chat with CRLF": ("chat/completions", CRLF[: CRLF.index(b"data: [DONE]")]),
    "response": ("responses", CREATED + DELTA),
    "response, nothing": ("responses", b""),
    "response that quotes an end": ("responses", CREATED + QUOTED_TYPE),
    "response, cut in its last event": ("responses", CREATED + LONG[:-10]),
    "response taken up again": ("responses/{response_id}", DELTA),
}


def saw(route: str, chunks: list[bytes]) -> Ending:
    ending = ENDINGS.get(route, Ending)()
    for chunk in chunks:
        ending.add(chunk)
    return ending


def cuts(stream: bytes) -> list[list[bytes]]:
    """The stream in one piece, byte by byte, and in two parts around each of its last bytes."""
    places = range(max(len(stream) - 400, 0), len(stream))
    singles = [stream[at : at + 1] for at in range(len(stream))] if len(stream) < 2_000 else []
    return [[stream], singles or [stream], *([stream[:at], stream[at:]] for at in places)]


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_stream_is_seen_wherever_it_is_cut(case: str) -> None:
    route, stream = WHOLE[case]
    assert all(saw(route, chunks).reached for chunks in cuts(stream))


@pytest.mark.parametrize("case", EARLY)
def test_an_early_end_is_seen_wherever_it_is_cut(case: str) -> None:
    route, stream = EARLY[case]
    assert not any(saw(route, chunks).reached for chunks in cuts(stream))


# --- through the real proxy -------------------------------------------------------------------------------------------


def answering(stream: bytes, kind: bytes = b"text/event-stream", status: int = 200) -> Callable[..., None]:
    """An upstream that sends the stream and ends it cleanly."""
    head = b"HTTP/1.1 %d OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % (status, kind)
    parts = [stream[at : at + 50] for at in range(0, len(stream), 50)]

    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n")

    return answer


def fetch(running: Proxy, route: str) -> tuple[bytes, bool]:
    """The bytes that arrive, and whether the connection ended properly."""
    received, resuming = b"", "{" in route
    url = f"{running.base_url}/{route.format(response_id='resp_1?stream=true&starting_after=1')}"
    body = b"" if resuming else b'{"model":"gpt-4o-mini","stream":true}'
    try:
        with httpx.stream("GET" if resuming else "POST", url, content=body, headers=running.headers | JSON) as got:
            for part in got.iter_raw():
                received += part
    except httpx.ReadError:
        return received, False
    return received, True


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_stream_passes_byte_for_byte(upstream: RawUpstream, behind: Proxy, case: str) -> None:
    route, stream = WHOLE[case]
    upstream.answer = answering(stream)
    assert fetch(behind, route) == (stream, True)


@pytest.mark.parametrize("case", EARLY)
def test_an_early_end_breaks_the_callers_connection(upstream: RawUpstream, behind: Proxy, case: str) -> None:
    route, stream = EARLY[case]
    upstream.answer = answering(stream)
    received, whole = fetch(behind, route)
    assert not whole
    assert received.startswith(stream)
    if stream.endswith((b"\n\n", b"\r\n\r\n")):
        told = received.removeprefix(stream).removeprefix(b"data: ")
        assert json.loads(told)["error"]["code"] == "upstream_stream_broken"
    elif stream:
        assert received == stream, "nothing is written into half an event"


@pytest.mark.parametrize(
    ("kind", "status"), [(b"application/json", 200), (b"text/event-stream", 429), (b"text/plain", 200)]
)
def test_what_is_no_stream_of_answers_is_left_alone(
    upstream: RawUpstream, behind: Proxy, kind: bytes, status: int
) -> None:
    upstream.answer = answering(b'{"error":{"code":"429"}}', kind, status)
    assert fetch(behind, "chat/completions") == (b'{"error":{"code":"429"}}', True)


def test_the_sdk_raises_when_a_chat_ends_early(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer = answering(CHAT)
    texts = []
    with client(behind) as sdk:
        stream = sdk.chat.completions.create(model="gpt-4o-mini", messages=[], stream=True)
        with pytest.raises(openai.APIError) as caught:
            texts.extend(part.choices[0].delta.content for part in stream)
    assert texts == ["Hi"]
    assert caught.value.code == "upstream_stream_broken"


def test_the_sdk_raises_when_a_response_ends_early(upstream: RawUpstream, behind: Proxy) -> None:
    upstream.answer = answering(CREATED + DELTA)
    kinds = []
    with client(behind) as sdk:
        stream = sdk.responses.create(model="gpt-4o-mini", input="Hi", stream=True)
        with pytest.raises(openai.APIError) as caught:
            kinds.extend(event.type for event in stream)
    assert kinds == ["response.created", "response.output_text.delta"]
    assert caught.value.code == "upstream_stream_broken"


def client(running: Proxy) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=running.base_url, api_key="unused", max_retries=0, default_headers=running.headers, timeout=10
    )
