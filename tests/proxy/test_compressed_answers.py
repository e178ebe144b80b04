"""A compressed answer passes unchanged. The proxy counts its tokens, and notices when it is cut short."""

import gzip
import json
import socket
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from proxy import coding
from proxy.coding import offered
from tests.support import Arrived, Log, Proxy, RawUpstream, sending

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
ANSWER = json.dumps({"id": "c", "model": "m-1", "choices": [{"finish_reason": "stop"}], "usage": USAGE}).encode()
PIECE = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null,"index":0}],"model":"m-1"}\n\n'
EVENTS = PIECE * 50 + b'data: {"choices":[],"model":"m-1","usage":%s}\n\n' % json.dumps(USAGE).encode()
DONE = b"data: [DONE]\n\n"


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def members(data: bytes) -> bytes:
    return b"".join(zipped(data[at : at + 100]) for at in range(0, len(data), 100))


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", zipped),
    "GZIP": ("GZIP", zipped),
    "x-gzip": ("X-Gzip", zipped),
    "several members": ("gzip", members),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "two codings": ("deflate, gzip", lambda data: zipped(zlib.compress(data))),
    "identity": ("Identity", bytes),
}
if zstd := coding.library("compression.zstd", "compress") or coding.library("backports.zstd", "compress"):
    PACKED["zstd"] = ("zstd", zstd.compress)
    PACKED["several frames"] = ("ZSTD", lambda data: zstd.compress(data[:99]) + zstd.compress(data[99:]))
if brotli := coding.library("brotli", "compress"):
    PACKED["br"] = ("br", brotli.compress)


def ask(running: Proxy, accepted: str = "gzip, deflate") -> tuple[httpx.Headers, bytes, bool]:
    """Headers, raw bytes, and whether the connection ended properly."""
    received, url = b"", f"{running.base_url}/chat/completions"
    headers = running.headers | {"accept-encoding": accepted}
    try:
        with httpx.stream("POST", url, json={"messages": []}, headers=headers) as got:
            for part in got.iter_raw():
                received += part
    except httpx.RemoteProtocolError:
        return httpx.Headers(), received, False
    except httpx.ReadError:
        return httpx.Headers(), received, False
    return got.headers, received, True


def streaming(body: bytes, encoding: str, size: int) -> Callable[[Arrived, socket.socket], None]:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: {encoding}\r\n"
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return lambda _, sock: sock.sendall(head.encode() + b"transfer-encoding: chunked\r\n\r\n" + chunks)


@pytest.fixture
def record(upstream: RawUpstream, logged: Proxy, log: Log) -> Callable[[Any], tuple[dict[str, Any], bytes, bool]]:
    def make(answer: Any) -> tuple[dict[str, Any], bytes, bool]:
        upstream.answer, before = answer, len(log.records())
        _, received, whole = ask(logged)
        return log.last(before + 1), received, whole

    return make


Record = Callable[[Any], tuple[dict[str, Any], bytes, bool]]
COUNTED = {"model_served": "m-1", "total_tokens": 7, "outcome": "complete"}


@pytest.mark.parametrize("case", PACKED)
def test_a_compressed_answer_is_counted_and_not_touched(record: Record, case: str) -> None:
    encoding, pack = PACKED[case]
    told, received, whole = record(
        sending(pack(ANSWER), b"content-type: application/json", f"content-encoding: {encoding}".encode())
    )
    assert (received, whole) == (pack(ANSWER), True)
    assert {name: told[name] for name in COUNTED} == COUNTED


@pytest.mark.parametrize("size", [7, 1_000, 100_000])
@pytest.mark.parametrize("case", PACKED)
def test_a_compressed_stream_is_counted_and_not_touched(record: Record, case: str, size: int) -> None:
    encoding, pack = PACKED[case]
    told, received, whole = record(streaming(pack(EVENTS + DONE), encoding, size))
    assert (received, whole) == (pack(EVENTS + DONE), True)
    assert {name: told[name] for name in COUNTED} == COUNTED


@pytest.mark.parametrize("size", [7, 100_000])
@pytest.mark.parametrize("case", PACKED)
def test_a_compressed_stream_without_its_last_event_breaks(record: Record, case: str, size: int) -> None:
    encoding, pack = PACKED[case]
    told, received, whole = record(streaming(pack(EVENTS), encoding, size))
    assert not whole
    assert told["outcome"] == "upstream_stream_broken"
    assert received.startswith(pack(EVENTS))
    if case != "identity":
        assert received == pack(EVENTS), "nothing is written into what is compressed"


@pytest.mark.parametrize("kept", [-1, -8, 60])
@pytest.mark.parametrize(("encoding", "pack"), [("gzip", zipped), ("deflate", zlib.compress), ("gzip", members)])
def test_a_stream_cut_short_counts_as_broken(
    record: Record, encoding: str, pack: Callable[[bytes], bytes], kept: int
) -> None:
    """HTTP ends the stream properly, and gzip does not."""
    told, _, whole = record(streaming(pack(EVENTS + DONE)[:kept], encoding, 50))
    assert (told["outcome"], whole) == ("upstream_stream_broken", False)


def test_an_answer_cut_short_is_a_502(upstream: RawUpstream, logged: Proxy, log: Log) -> None:
    body, before = gzip.compress(ANSWER)[:-4], len(log.records())
    upstream.answer = sending(body, b"content-type: application/json", b"content-encoding: gzip")
    answer = httpx.post(f"{logged.base_url}/chat/completions", json={"messages": []}, headers=logged.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_stream_broken")
    assert log.last(before + 1)["outcome"] == "upstream_stream_broken"


@pytest.mark.parametrize("encoding", ["unknown", "gzip, unknown", "gzip, gzip, gzip, gzip"])
def test_what_cannot_be_read_passes_all_the_same(record: Record, encoding: str) -> None:
    told, received, whole = record(sending(b"who knows", f"content-encoding: {encoding}".encode()))
    assert (told["outcome"], received, whole) == ("complete", b"who knows", True)


def test_a_small_answer_that_unpacks_to_much_costs_little_memory(record: Record) -> None:
    told, _, whole = record(sending(gzip.compress(b" " * 300_000_000 + ANSWER, 1), b"content-encoding: gzip"))
    assert (told["total_tokens"], whole) == (7, True)


# --- Accept-Encoding --------------------------------------------------------------------------------------------------


@pytest.fixture
def python_alone(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Hides the libraries for zstd and br."""
    monkeypatch.setattr(coding, "library", lambda *_: None)
    coding.readers.cache_clear()
    offered.cache_clear()
    yield
    coding.readers.cache_clear()
    offered.cache_clear()


OFFERS = {
    "gzip": "gzip",
    "gzip, deflate": "gzip, deflate",
    "gzip, deflate, br, zstd": "gzip, deflate",
    "br": "identity",
    "zstd;q=1.0, br;q=0.9": "identity",
    "GZIP;q=0.8 , BR": "GZIP;q=0.8",
    "x-gzip": "x-gzip",
    "identity": "identity",
    "": "identity",
    "*": "gzip, deflate, identity",
    "br, *;q=0.1": "gzip;q=0.1, deflate;q=0.1, identity;q=0.1",
    "gzip;q=0, *": "gzip;q=0, deflate, identity",
    "gzip, *;q=0": "gzip, *;q=0",
    "br, *;q=0": "identity",
    "br;q=1, identity;q=0": "identity",
    "compress, gzip;q=0.001": "gzip;q=0.001",
    "gzip;Q=0.5": "gzip;Q=0.5",
    "gzip ; q = 0": "identity",
    "\xe9, gzip": "gzip",
}


@pytest.mark.usefixtures("python_alone")
@pytest.mark.parametrize("accepted", OFFERS)
def test_only_what_can_be_read_is_offered_to_azure(accepted: str) -> None:
    assert offered(accepted.encode("latin-1")).decode() == OFFERS[accepted]


@pytest.mark.parametrize("accepted", [None, "br, zstd;q=0.1, compress", "gzip"])
def test_azure_is_never_asked_for_what_cannot_be_read(
    upstream: RawUpstream, behind: Proxy, accepted: str | None
) -> None:
    upstream.answer, upstream.arrived = sending(b"{}"), []
    request = httpx.Request("POST", f"{behind.base_url}/chat/completions", json={"messages": []})
    request.headers.update(behind.headers | ({"accept-encoding": accepted} if accepted else {}))
    with httpx.Client() as client:
        client.send(request)
    asked = upstream.arrived[0].headers["accept-encoding"]
    assert {part.partition(";")[0].strip() for part in asked.split(",")} <= {"identity", *coding.readers()}
