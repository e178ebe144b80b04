"""Content codings (RFC 9110, section 8.4.1): a body without its compression.

A recorder keeps a body as it came, or keeps the decoded body and leaves the header as it was. vcrpy does the latter for
an httpx client. So a body that cannot be decoded and looks plain counts as decoded already.
"""

import importlib
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from .document import MAX_BYTES
from .interaction import Headers

CONTENT_ENCODING = "content-encoding"
SLICE = 1024  # bytes that are decoded before the size is checked; zstd can make 33 MB of them
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
GZIP = 16 + zlib.MAX_WBITS
TOO_LARGE = "decompressed it is larger than {} MB"


class CodingError(Exception):
    """Why a body cannot be decoded, in one line."""


class Decoder(Protocol):
    """Decodes one gzip member or one zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class Codec(NamedTuple):
    """`new` makes the decoder for a body that begins with these bytes. `error` is the decoder's exception."""

    new: Callable[[bytes], Decoder]
    error: type[Exception]


def codings_of(headers: Headers) -> list[str]:
    """The codings in the order in which they were applied, in small letters, without `identity`."""
    values = (
        value
        for name, value in headers
        if len(name) == len(CONTENT_ENCODING) and name.lower() == CONTENT_ENCODING  # most have another length
    )
    named = (coding.strip().lower() for value in values for coding in value.split(","))
    return [coding for coding in named if coding not in ("", "identity")]


def without_codings(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() != CONTENT_ENCODING)


def decoded(codings: Sequence[str], pieces: list[bytes], most: int) -> list[bytes]:
    """The pieces of a body without these codings, as many as before. `most` limits the decoded bytes. Raises
    CodingError."""
    for coding in reversed(codings) if any(pieces) else ():
        try:
            pieces = _decoded(coding, pieces, most)
        except CodingError:
            if _is_plain(b"".join(pieces), coding):
                return pieces
            raise
    return pieces


def _is_plain(body: bytes, coding: str) -> bool:
    """Whether the body is text, sound or a picture. None of these begins with gzip's first byte."""
    return is_text(body) or (_CODECS.get(coding) is _gzip and not body.startswith(b"\x1f"))


def _decoded(coding: str, pieces: list[bytes], most: int) -> list[bytes]:
    codec, head, size = _codec(coding), b"".join(pieces)[:2], 0
    decoder, texts = codec.new(head), list[bytes]()
    try:
        for piece in pieces:
            parts = list[bytes]()
            for at in range(0, len(piece), SLICE):
                rest = piece[at : at + SLICE]
                while rest:
                    if decoder.eof and not rest.strip(b"\0"):  # padding
                        break
                    decoder = codec.new(rest[:2]) if decoder.eof else decoder
                    parts.append(decoder.decompress(rest))
                    size += len(parts[-1])
                    if size > most:
                        raise CodingError(TOO_LARGE.format(most // 2**20))
                    rest = decoder.unused_data if decoder.eof else b""
            texts.append(b"".join(parts))
    except codec.error as error:
        raise CodingError(f"it is neither {coding} nor text, though content-encoding says {coding}") from error
    if not decoder.eof:
        raise CodingError(f"its {coding} data ends too early")
    return texts


def _codec(coding: str) -> Codec:
    if coding not in _CODECS:
        raise CodingError(f"the content-encoding {coding!r} is not known")
    return _CODECS[coding]()


def _gzip() -> Codec:
    return Codec(lambda _: zlib.decompressobj(GZIP), zlib.error)


def _deflate() -> Codec:
    """deflate has zlib's wrapping (RFC 1950). Some servers leave the wrapping out (RFC 1951)."""

    def new(head: bytes) -> Decoder:
        wrapped = len(head) == 2 and head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head) % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)

    return Codec(new, zlib.error)


def _zstd() -> Codec:
    """Python has zstd since 3.14. Before that, one of two packages decodes it, where installed."""
    for name in ("compression.zstd", "backports.zstd"):
        if module := _imported(name):
            return Codec(lambda _: module.ZstdDecompressor(), module.ZstdError)
    if module := _imported("zstandard"):
        return Codec(lambda _: module.ZstdDecompressor().decompressobj(), module.ZstdError)
    raise CodingError("it is compressed with zstd; to read it: pip install backports.zstd")


def _br() -> Codec:
    module = _imported("brotli")
    if not hasattr(getattr(module, "Decompressor", None), "can_accept_more_data"):  # older releases know no limit
        raise CodingError("it is compressed with br; to read it: pip install 'brotli>=1.2'")
    return Codec(lambda _: _Brotli(module), module.error)


class _Brotli:
    """The package's decompressor with zlib's names. A thousand bytes can hold gigabytes: it decodes 1 MB at a time."""

    unused_data = b""  # what follows the end is an error

    def __init__(self, module: Any) -> None:
        self._decoder, self._error = module.Decompressor(), module.error

    @property
    def eof(self) -> bool:
        return bool(self._decoder.is_finished())

    def decompress(self, data: bytes, /) -> bytes:
        if self.eof:
            raise self._error
        parts = [self._decoder.process(data, output_buffer_limit=2**20)]
        while not self._decoder.can_accept_more_data():
            if len(parts) > MAX_BYTES // 2**20:
                raise CodingError(TOO_LARGE.format(MAX_BYTES // 2**20))
            parts.append(self._decoder.process(b"", output_buffer_limit=2**20))
        return b"".join(parts)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_CODECS: dict[str, Callable[[], Codec]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
    "br": _br,
}


def is_text(data: bytes) -> bool:
    try:
        return not CONTROL.search(data.decode())
    except UnicodeDecodeError:
        return False
