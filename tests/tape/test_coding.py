"""The emulator plays a compressed body decoded, or refuses its file in one line. No client gets a coding."""

import functools
import gzip
import importlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.tape import cassette, coding
from emulator.tape.cassette import CassetteError, Response
from tests.tape.test_unreadable import URI, entry

TEXT = json.dumps({"choices": [], "text": "Grüße " * 40}, ensure_ascii=False).encode()
STREAM = b"".join(b'data: {"n":%d}\n\n' % number for number in range(9))


def bare(text: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(text) + compressor.flush()


def members(text: bytes) -> bytes:
    return gzip.compress(text[:50]) + gzip.compress(b"") + gzip.compress(text[50:])


WRITTEN: dict[str, tuple[Any, Callable[[bytes], bytes]]] = {  # name → (content-encoding, what encodes the body)
    "gzip": ("gzip", gzip.compress),
    "in capitals": ("GZIP", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "X-GZip": ("X-GZip", gzip.compress),
    "several members": ("gzip", members),
    "a padded member": ("gzip", lambda text: gzip.compress(text) + b"\0" * 512),
    "deflate": ("deflate", zlib.compress),
    "deflate without its wrapping": ("deflate", bare),
    "deflate, quickly": ("deflate", lambda text: zlib.compress(text, 1)),
    "deflate, not at all": ("deflate", lambda text: zlib.compress(text, 0)),
    "two codings in a line": ("deflate, gzip", lambda text: gzip.compress(zlib.compress(text))),
    "two codings in two lines": (["gzip", "x-gzip"], lambda text: gzip.compress(gzip.compress(text))),
    "identity": ("identity", bytes),
    "identity and gzip": ("identity,gzip", gzip.compress),
    "an empty header": ("", bytes),
    **{f"plain under {name}": (name, bytes) for name in ("gzip", "GZIP", "deflate", "br", "zstd", "gzip, br", "x-new")},
}


def tape(folder: Path, body: bytes, encoding: Any, **more: Any) -> Path:
    path = folder / "x.yaml"
    headers = {"content-type": "application/json", "Content-Encoding": encoding, "content-length": str(len(body))}
    made = entry(response_headers=headers, response_body={"string": body}, **more)
    path.write_text(yaml.safe_dump({"interactions": [made]}))
    return path


def answer(path: Path) -> Response:
    return cassette.load(path).interactions[0].response


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("text", [TEXT, STREAM, b"", b"{}"], ids=["JSON", "a stream", "nothing", "little"])
def test_a_body_is_read_as_what_it_says_whatever_its_coding(name: str, text: bytes, tmp_path: Path) -> None:
    encoding, written = WRITTEN[name]
    read = answer(tape(tmp_path, written(text), encoding))
    assert read.body == text
    assert read.header("content-encoding") in ("", "identity")


@pytest.mark.parametrize("name", ["gzip", "several members", "deflate", "plain under gzip", "plain under br"])
@pytest.mark.parametrize("offered", ["gzip, deflate, br, zstd", "identity", None])
def test_no_client_gets_a_coding_from_a_recording(name: str, offered: str | None, tmp_path: Path) -> None:
    encoding, written = WRITTEN[name]
    tape(tmp_path, written(TEXT), encoding, request_body="{}")
    azure = FakeAzure(Library.from_folders([tmp_path]))
    headers = {"api-key": azure.api_key} | ({"accept-encoding": offered} if offered else {})
    with serving(azure, bind(0)) as base:
        target = base + URI.removeprefix("https://any")
        with httpx.stream("POST", target, content=b"{}", headers=headers, trust_env=False) as got:
            sent = b"".join(got.iter_raw())
    assert (got.status_code, got.headers.get("content-encoding"), sent) == (200, None, TEXT)
    assert got.headers["content-length"] == str(len(TEXT))


def test_a_compressed_request_is_found_by_what_it_says(tmp_path: Path) -> None:
    """The proxy forwards the decoded body."""
    headers = {"content-encoding": "gzip"}
    (tmp_path / "x.yaml").write_text(
        yaml.safe_dump({"interactions": [entry(request_headers=headers, request_body=gzip.compress(b'{"a": 1}'))]})
    )
    (read,) = cassette.load(tmp_path / "x.yaml").interactions
    assert (read.request.body, read.request.headers) == (b'{"a": 1}', ())


@pytest.mark.parametrize("sound", [b"ID3\x04\x00\x00", b"\xff\xfb\x90\x00", b"\x89PNG\r\n\x1a\n"])
def test_sound_and_pictures_that_are_not_compressed_play_as_they_are(sound: bytes, tmp_path: Path) -> None:
    read = answer(tape(tmp_path, sound, "gzip"))
    assert (read.body, read.header("content-encoding")) == (sound, "")


@functools.cache
def bomb() -> bytes:
    return gzip.compress(bytes(70 * 2**20), 1)


REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {  # name → (content-encoding, the body, the message)
    "cut": ("gzip", lambda: gzip.compress(TEXT)[:-9], "its gzip data ends too early"),
    "cut within the second member": ("gzip", lambda: members(TEXT)[:-20], "its gzip data ends too early"),
    "cut deflate": ("deflate", lambda: zlib.compress(TEXT)[:-5], "its deflate data ends too early"),
    "broken": ("GZIP", lambda: gzip.compress(TEXT)[:10] + b"\xff" * 90, "it is neither gzip nor text"),
    "saved as text": (
        "gzip",
        lambda: gzip.compress(TEXT).decode(errors="replace").encode(),
        "it is neither gzip nor text",
    ),
    "something behind it": ("gzip", lambda: gzip.compress(TEXT) + b"more", "it is neither gzip nor text"),
    "no deflate": ("deflate", lambda: b"\xff\xfe\xfd", "it is neither deflate nor text"),
    "unknown": ("compress", lambda: b"\x1f\x9d\x90", "the content-encoding 'compress' is not known"),
    "the outer one is not that": ("gzip, deflate", lambda: gzip.compress(TEXT), "it is neither deflate nor text"),
    "a bomb": ("gzip", bomb, "decompressed it is larger than 64 MB"),
    "a bomb in a bomb": ("gzip, gzip", lambda: gzip.compress(bomb()), "decompressed it is larger than 64 MB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_decoded_is_refused_with_file_line_and_coding(name: str, tmp_path: Path) -> None:
    encoding, body, told = REFUSED[name]
    path = tape(tmp_path, body(), encoding)
    (problem,) = Library.from_folders([tmp_path]).problems
    assert problem.startswith(f"{path}:")
    assert f"interaction 1: response.body: {told}" in problem


@pytest.mark.parametrize(("encoding", "package"), [("br", "'brotli>=1.2'"), ("zstd", "backports.zstd")])
def test_a_coding_without_its_package_says_what_to_install(
    encoding: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coding, "_imported", lambda _: None)
    with pytest.raises(CassetteError, match=rf"it is compressed with {encoding}; to read it: pip install {package}"):
        cassette.load(tape(tmp_path, b"\x8b\x0f\x80" * 9, encoding))


def test_br_is_decoded_where_its_package_is(tmp_path: Path) -> None:
    brotli: Any = pytest.importorskip("brotli", "1.2")
    assert answer(tape(tmp_path, brotli.compress(TEXT), "br")).body == TEXT
    assert answer(tape(tmp_path, brotli.compress(gzip.compress(TEXT)), "gzip, br")).body == TEXT
    bomb = brotli.compress(bytes(70 * 2**20), quality=1)
    for body in (brotli.compress(TEXT)[:-4], brotli.compress(TEXT) + b"\xff", bomb):
        with pytest.raises(CassetteError):
            cassette.load(tape(tmp_path, body, "br"))


@pytest.mark.parametrize("name", ["compression.zstd", "backports.zstd", "zstandard"])
def test_zstd_is_decoded_where_a_package_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zstd: Any = pytest.importorskip(name)
    monkeypatch.setattr(coding, "_imported", lambda asked: zstd if asked == name else None)
    assert importlib.import_module(name) is zstd
    frames = zstd.compress(TEXT[:50]) + zstd.compress(TEXT[50:])
    assert answer(tape(tmp_path, frames, "zstd")).body == TEXT
    for body in (frames[:-4], b"\xff" + frames, zstd.compress(bytes(70 * 2**20))):
        with pytest.raises(CassetteError):
            cassette.load(tape(tmp_path, body, "zstd"))
