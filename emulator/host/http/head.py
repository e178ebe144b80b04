"""Request heads that Kestrel reads in another way than llhttp, the parser of uvicorn.

Kestrel (its source: HttpParser, HttpHeaders; recorded: tests/host/recorded) takes any token as a method, bare line
feeds, a signed Content-Length and control characters in values. It refuses folded headers and blanks in names. This
file reads such a head as Kestrel does and tells llhttp only how the body is framed. (Offered upgrades: ../upgrade.py.)
"""

import re
from http import HTTPStatus
from typing import NamedTuple

PLAIN = bytes({*range(0x20, 0x7F), *range(0x80, 0x100), ord("\t")})
FAMILIAR_METHODS = (b"GET ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"HEAD ", b"OPTIONS ")
VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
END = re.compile(rb"\r?\n\r?\n")
LONGEST = 65_536  # far above Kestrel's limit; beyond it llhttp decides alone

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
FRAMING = (b"host", b"content-length", b"transfer-encoding", b"connection", b"expect")


class Refused(Exception):
    """Kestrel answers with this status and no body."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        self.status = status


class Head(NamedTuple):
    """`framing` is the head that llhttp gets in place of the client's."""

    method: str
    headers: list[tuple[bytes, bytes]]
    framing: bytes


def is_plain(head: bytes) -> bool:
    """Whether Kestrel and llhttp read the head alike."""
    breaks = head.translate(None, PLAIN)
    line = head[: head.find(b"\r")]
    return (
        breaks == b"\r\n" * (len(breaks) // 2)
        and head.startswith(FAMILIAR_METHODS)
        and line.endswith(VERSIONS)
        and line.count(b" ") == 2
        and b"\n " not in head
        and b"\n\t" not in head
        and b"+" not in head.partition(b"ontent-")[2]
        and b"ransfer-" not in head
    )


def read_head(head: bytes) -> Head:
    """Raises Refused."""
    line, *lines = head.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    parts = line.split(b" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or b"\r" in head.replace(b"\r\n", b"") or b"\0" in head:
        raise Refused
    method, target, version = parts
    if not line.endswith(VERSIONS):
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    headers = [header(line) for line in lines]
    if any(name == b"transfer-encoding" for name, _ in headers):
        headers = [(b"x-" * (name == b"content-length") + name, value) for name, value in headers]
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(lengths) > 1:
        raise Refused
    framed = [b"POST %b %b" % (target, version)]
    framed += [b"%b: %b" % pair for pair in headers if pair[0] in FRAMING]
    return Head(method.decode(), headers, b"\r\n".join(framed) + b"\r\n\r\n")


def header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):
        raise Refused
    name, value = name.lower(), value.strip(b" \t")
    if name == b"content-length":
        if not re.fullmatch(rb"\+?[0-9]{1,18}", value):
            raise Refused
        value = value.lstrip(b"+")
    return name, value
