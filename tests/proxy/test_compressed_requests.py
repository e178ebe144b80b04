"""The proxy unpacks a compressed body, within bounds, and names a coding that it cannot read."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType

import httpx
import pytest

from proxy import coding
from proxy.coding import MOST_MEMBERS, Bad, TooLarge, decoded
from tests.support import Log, Proxy, RawUpstream, proxy, sending

PLAIN = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hé"}]}).encode()
FORWARDED = PLAIN.replace(b"gpt-4o", b"my-4o-deployment")
MOST = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def members(data: bytes) -> bytes:
    return gzip.compress(data[:30]) + gzip.compress(b"") + gzip.compress(data[30:]) + b"\0" * 100


ZIPPED: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress, members],
    "x-gzip": [gzip.compress],
    "GZip": [gzip.compress],
    "deflate": [zlib.compress, raw_deflate],
    "identity": [bytes],
    "identity,, identity": [bytes],
    "deflate, gzip": [lambda data: gzip.compress(zlib.compress(data))],
    "gzip,gzip, GZIP": [lambda data: gzip.compress(gzip.compress(gzip.compress(data)))],
}
CASES = [pytest.param(named, pack(PLAIN), id=named) for named, packers in ZIPPED.items() for pack in packers]


def library(name: str, needed: str) -> ModuleType:
    found = coding.library(name, needed)
    return found or pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="module")
def bounded(upstream: RawUpstream) -> Iterator[Proxy]:
    with proxy(upstream.base, {"PROXY_MAX_BODY_MB": str(MOST / 1e6)}) as running:
        yield running


def post(running: Proxy, body: bytes, encoding: str, route: str = "chat/completions") -> httpx.Response:
    headers = running.headers | {"content-encoding": encoding, "content-type": "application/json"}
    return httpx.post(f"{running.base_url}/{route}", content=body, headers=headers, timeout=30)


def assert_error(answer: httpx.Response, status: int, code: str, *named: str) -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert all(name in error["message"] for name in named), error["message"]


@pytest.mark.parametrize(("encoding", "body"), CASES)
def test_azure_gets_a_compressed_body_unpacked(
    upstream: RawUpstream, bounded: Proxy, encoding: str, body: bytes
) -> None:
    upstream.answer, upstream.arrived = sending(b"{}"), []
    assert post(bounded, body, encoding).status_code == 200
    (arrived,) = upstream.arrived
    assert arrived.body == FORWARDED
    assert "content-encoding" not in arrived.headers
    assert arrived.headers["content-length"] == str(len(FORWARDED))


@pytest.mark.parametrize("route", ["responses", "embeddings", "responses/input_tokens", "responses/resp_1/cancel"])
def test_on_every_route_that_takes_a_body(upstream: RawUpstream, bounded: Proxy, route: str) -> None:
    upstream.answer, upstream.arrived = sending(b"{}"), []
    assert post(bounded, gzip.compress(PLAIN), "gzip", route).status_code == 200
    assert upstream.arrived[0].body == FORWARDED


def test_no_body_stays_no_body(upstream: RawUpstream, bounded: Proxy) -> None:
    upstream.answer, upstream.arrived = sending(b"{}"), []
    assert post(bounded, b"", "gzip", "responses/resp_1/cancel").status_code == 200
    assert upstream.arrived[0].body == b""


def test_zstd_is_read_with_a_window_of_8_megabytes_at_most(upstream: RawUpstream, bounded: Proxy) -> None:
    zstd = coding.library("compression.zstd", "ZstdDecompressor") or library("backports.zstd", "ZstdDecompressor")
    upstream.answer, upstream.arrived = sending(b"{}"), []
    for body in (zstd.compress(PLAIN), zstd.compress(PLAIN[:9]) + zstd.compress(PLAIN[9:])):
        assert post(bounded, body, "zstd").status_code == 200
        assert upstream.arrived.pop().body == FORWARDED
    window = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=window)
    assert_error(post(bounded, packer.compress(b" " * 99) + packer.flush(), "zstd"), 400, "invalid_encoding", "zstd")
    assert_error(post(bounded, zstd.compress(b" " * 50_000_000), "zstd"), 413, "request_too_large")


def test_brotli_is_read_where_its_library_is(upstream: RawUpstream, bounded: Proxy) -> None:
    brotli = library("brotli", "Decompressor")
    upstream.answer, upstream.arrived = sending(b"{}"), []
    assert post(bounded, brotli.compress(PLAIN), "br").status_code == 200
    assert upstream.arrived[0].body == FORWARDED
    assert_error(post(bounded, brotli.compress(b" " * 50_000_000), "br"), 413, "request_too_large")
    assert_error(post(bounded, brotli.compress(PLAIN)[:-3], "br"), 400, "invalid_encoding", "br")


@pytest.mark.parametrize(
    "encoding", ["compress", "lzma", "aes128gcm", "gzip, snappy", "gzip;q=1", "gzip, gzip, gzip, gzip"]
)
def test_another_encoding_is_named_with_those_that_are_read(bounded: Proxy, encoding: str) -> None:
    assert_error(post(bounded, PLAIN, encoding), 415, "unsupported_encoding", encoding, "identity, gzip, deflate")


def test_without_its_library_an_encoding_is_named_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "library", lambda *_: None)
    coding.readers.cache_clear()
    try:
        assert not coding.is_readable(("zstd",))
        assert not coding.is_readable(("br",))
        assert coding.is_readable(("gzip", "deflate"))
    finally:
        coding.readers.cache_clear()


@pytest.mark.parametrize("cut", [1, 9, 11, 40, -8, -1])
@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_that_is_not_what_it_says_is_a_400(
    bounded: Proxy, encoding: str, pack: Callable[[bytes], bytes], cut: int
) -> None:
    assert_error(post(bounded, pack(PLAIN)[:cut], encoding), 400, "invalid_encoding", encoding)
    assert_error(post(bounded, PLAIN, encoding), 400, "invalid_encoding", encoding)
    assert_error(post(bounded, pack(PLAIN) + b"garbage", encoding), 400, "invalid_encoding", encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_a_bomb_is_refused_before_it_is_whole(bounded: Proxy, encoding: str) -> None:
    bomb = b" " * 200_000_000
    body = zlib.compress(bomb, 1) if encoding == "deflate" else gzip.compress(bomb, 1)
    body = gzip.compress(body) if "," in encoding else body
    assert len(body) < MOST
    assert_error(post(bounded, body, encoding), 413, "request_too_large", f"{MOST:,}")


def test_a_body_just_as_large_as_allowed_passes(upstream: RawUpstream, bounded: Proxy) -> None:
    body = PLAIN[:-1] + b" " * (MOST - len(PLAIN)) + b"}"
    upstream.answer = sending(b"{}")
    assert post(bounded, gzip.compress(body), "gzip").status_code == 200
    assert_error(post(bounded, gzip.compress(body + b" "), "gzip"), 413, "request_too_large")


def test_thousands_of_members_are_an_attack() -> None:
    with pytest.raises(Bad):
        decoded(gzip.compress(b"") * (MOST_MEMBERS + 4_000), ("gzip",), MOST)
    with pytest.raises(TooLarge):
        decoded(gzip.compress(b" " * MOST) * 2, ("gzip",), MOST)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"\xef\xbb\xbf" + PLAIN, "byte order mark"),
        (PLAIN.decode().encode("utf-16"), "UTF-16"),
        (PLAIN.decode().encode("utf-16-le"), "UTF-16-LE"),
        (PLAIN.decode().encode("utf-32-be"), "UTF-32-BE"),
        (b"\xff" + PLAIN, ""),
    ],
)
def test_a_body_that_is_not_plain_utf_8_names_what_it_is(bounded: Proxy, body: bytes, named: str) -> None:
    assert_error(post(bounded, body, "identity"), 400, "invalid_json", named)
    assert_error(post(bounded, gzip.compress(body), "gzip"), 400, "invalid_json", named)


def test_the_record_counts_what_was_sent(upstream: RawUpstream, logged: Proxy, log: Log) -> None:
    upstream.answer, before, body = sending(b"{}"), len(log.records()), gzip.compress(PLAIN)
    post(logged, body, "gzip")
    record = log.last(before + 1)
    assert (record["bytes_in"], record["model"]) == (len(body), "gpt-4o")
