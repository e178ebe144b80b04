"""Content codings (RFC 9110, section 8.4.1) of callers' requests and of Azure's answers.

Python brings gzip and deflate, and zstd from 3.14 on; a backport brings zstd to older versions. br is read where a
library for it is installed.
"""

import functools
import importlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

PIECE_BYTES = 262_144  # decoded at a time: a small bomb must not become large memory at once
WINDOW_BYTES = 65_536  # given to a decoder at a time: zlib copies the bytes after a member's end
MOST_CODINGS = 3  # one inside the other
MOST_MEMBERS = 1_024  # of a body; thousands of empty members are an attack
ZSTD_WINDOW_LOG = 23  # 8 MB, the most that RFC 9659 allows; a sender must not make us hold more
ALIASES = {"x-gzip": "gzip"}  # RFC 9110, section 8.4.1.3


class Bad(ValueError):
    """The data does not follow its coding, or is cut short."""


class TooLarge(ValueError):
    """The data decodes to more bytes than are allowed."""


class Member(Protocol):
    def step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """Decodes at most about PIECE_BYTES. Returns the decoded piece, the data left over, and whether another piece
        waits that needs no more data. Raises Bad."""

    @property
    def ended(self) -> bool: ...


class Zlib:
    def __init__(self, wbits: int) -> None:
        self.inflater = zlib.decompressobj(wbits)

    def step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        try:
            piece = self.inflater.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise Bad(str(error)) from error
        return piece, self.inflater.unused_data or self.inflater.unconsumed_tail, len(piece) == PIECE_BYTES

    @property
    def ended(self) -> bool:
        return self.inflater.eof


class Zstd:
    def __init__(self, library: Any) -> None:
        options = {library.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
        self.inflater, self.error = library.ZstdDecompressor(options=options), library.ZstdError

    def step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        try:
            piece = self.inflater.decompress(data, PIECE_BYTES)
        except self.error as error:
            raise Bad(str(error)) from error
        return piece, self.inflater.unused_data if self.ended else b"", not (self.ended or self.inflater.needs_input)

    @property
    def ended(self) -> bool:
        return bool(self.inflater.eof)


class Brotli:
    def __init__(self, library: Any) -> None:
        self.inflater, self.error = library.Decompressor(), library.error

    def step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        try:
            piece = self.inflater.process(data, output_buffer_limit=PIECE_BYTES)
        except self.error as error:
            raise Bad(str(error)) from error
        return piece, b"", not (self.ended or self.inflater.can_accept_more_data())

    @property
    def ended(self) -> bool:
        return bool(self.inflater.is_finished())


def deflate(data: bytes) -> Member:
    """Reads zlib's format, and the raw one, which some servers send under this name."""
    return Zlib(zlib.MAX_WBITS if data[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS)


def gzip(_: bytes) -> Member:
    return Zlib(zlib.MAX_WBITS | 16)


@functools.cache
def readers() -> dict[str, Callable[[bytes], Member]]:
    """A reader of one member, for each coding that can be read here."""
    zstd = library("compression.zstd", "ZstdDecompressor") or library("backports.zstd", "ZstdDecompressor")
    brotli = library("brotli", "Decompressor")
    limits = brotli and hasattr(brotli.Decompressor, "can_accept_more_data")  # 1.2 and later
    found: dict[str, Callable[[bytes], Member]] = {"gzip": gzip, "deflate": deflate}
    found |= {"zstd": lambda _: Zstd(zstd)} if zstd else {}
    return found | ({"br": lambda _: Brotli(brotli)} if limits else {})


def library(name: str, needed: str) -> Any:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return module if hasattr(module, needed) else None


class Stage:
    """Undoes one coding, one member after the other."""

    def __init__(self, coding: str, most_members: float = float("inf")) -> None:
        self.coding, self.begin, self.most_members = coding, readers()[coding], most_members
        self.member: Member | None = None
        self.members = 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), WINDOW_BYTES):
            yield from self.window(data[at : at + WINDOW_BYTES])

    def window(self, data: bytes) -> Iterator[bytes]:
        more = False
        while data or more:
            if self.member is None:
                data = data.lstrip(b"\0") if self.members and self.coding == "gzip" else data  # padding
                if not data:
                    return
                if self.members and self.coding not in ("gzip", "zstd"):
                    raise Bad("something follows its end")
                if self.members >= self.most_members:
                    raise Bad(f"it has more than {self.most_members:,} members")
                self.member, self.members = self.begin(data), self.members + 1
            piece, data, more = self.member.step(data)
            if self.member.ended:
                self.member, more = None, False
            if piece:
                yield piece

    @property
    def whole(self) -> bool:
        return self.member is None


class Decoder:
    """Undoes `codings`, named in the order in which the sender applied them. Each must be one of readers()."""

    def __init__(self, codings: Sequence[str]) -> None:
        self.stages = [Stage(coding) for coding in reversed(codings)]

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The decoded data. Raises Bad."""
        return self.through(data, self.stages)

    def through(self, data: bytes, stages: list[Stage]) -> Iterator[bytes]:
        if not stages:
            yield data
            return
        for piece in stages[0].pieces(data):
            yield from self.through(piece, stages[1:])

    @property
    def whole(self) -> bool:
        """Whether the data may end here."""
        return all(stage.whole for stage in self.stages)


def codings_of(header: str) -> tuple[str, ...]:
    """The codings that a Content-Encoding names, aliases resolved, without `identity`."""
    named = (part.strip().lower() for part in header.split(","))
    return tuple(ALIASES.get(name, name) for name in named if name not in ("", "identity"))


def is_readable(codings: Sequence[str]) -> bool:
    return len(codings) <= MOST_CODINGS and set(codings) <= set(readers())


def decoded(body: bytes, codings: Sequence[str], most: int) -> bytes:
    """The whole body. Raises Bad, or TooLarge when undoing any coding gives more than `most` bytes."""
    for coding in reversed(codings):
        stage, size, pieces = Stage(coding, MOST_MEMBERS), 0, []
        for piece in stage.pieces(body):
            size += len(piece)
            if size > most:
                raise TooLarge
            pieces.append(piece)
        if not stage.whole:
            raise Bad("it is cut short")
        body = b"".join(pieces)
    return body


@functools.lru_cache(64)
def offered(accepted: bytes) -> bytes:
    """The caller's Accept-Encoding without the codings that cannot be read here; names stand in the place of `*`."""
    named = [part.strip() for part in accepted.decode("latin-1").split(",") if part.strip()]
    kept, known = [], {name_of(part) for part in named}
    for part in named:
        if name_of(part) == "*" and weight_of(part):
            weight = part.partition(";")[1] + part.partition(";")[2]
            kept += [name + weight for name in (*readers(), "identity") if name not in known]
        elif name_of(part) in (*readers(), "identity", "*"):
            kept.append(part)
    return ", ".join(kept).encode("latin-1") if any(weight_of(part) for part in kept) else b"identity"


def name_of(part: str) -> str:
    name = part.partition(";")[0].strip().lower()
    return ALIASES.get(name, name)


def weight_of(part: str) -> float:
    """The q-value (RFC 9110, section 12.4.2); a value that is no number counts as 1."""
    weight = part.partition(";")[2].strip().lower().removeprefix("q").strip().removeprefix("=").strip()
    try:
        return float(weight or 1)
    except ValueError:
        return 1.0
