"""The parts of a form (multipart/form-data), found without a look into its files.

RFC 7578 says what a form is, RFC 2046, section 5.1.1, how parts are separated, RFC 9110, section 5.6, how a header is
written. Azure's reader of forms is unknown. A body that two readers understand differently could show this proxy a
model that the caller may use, and Azure another one. So this reader takes the plain form that clients write, refuses
everything else, and says what to change. tests/proxy/test_form_readers.py compares it with readers that others wrote.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .errors import ProxyError

MOST_PARTS = 256  # Azure takes 16 images; each option is a part, too
HEAD_BYTES = 4_096  # of one part's headers
END_BYTES = 64  # of blanks after the last boundary

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PARAMETER = re.compile(rb'[ \t]*;[ \t]*(%s)=(?:(%s)|"([^"]*)")' % (TOKEN, TOKEN))
PARAMETERS = re.compile(rb"(?:%s)*" % PARAMETER.pattern)
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}")  # RFC 2046, without blanks
HEADER = re.compile(rb"(%s):([^\0-\x08\x0A-\x1F\x7F]*)" % TOKEN)
NAME = re.compile(rb"[0-9A-Za-z_.\[\]-]{1,128}")
PLAIN = re.compile(rb"text/plain(?:; ?charset=(?:utf-8|us-ascii))?", re.IGNORECASE)  # as .NET and aiohttp write it

# Wherever they stand: inside quotes, in another header.
ANY_NAME = re.compile(rb"(?<!file)name[*0-9 \t]*=", re.IGNORECASE)
ANY_BOUNDARY = re.compile(rb"boundary[*0-9 \t]*=", re.IGNORECASE)
MISWRITTEN = 'parameters in a header must be like `; name="value"`, each once'


class Part(NamedTuple):
    """`start` is where its headers begin, `content` where its content does, `end` where that ends. A `plain` part says
    nothing of itself but its name, and that it is plain text."""

    name: str
    is_file: bool
    plain: bool
    start: int
    content: int
    end: int


class Form(NamedTuple):
    body: bytes
    boundary: bytes
    parts: tuple[Part, ...]


def read_form(content_types: Sequence[bytes], body: bytes) -> Form:
    """Raises ProxyError. `content_types` are the values of the request's headers of that name."""
    boundary = boundary_in(content_types)
    return Form(body, boundary, tuple(parts_of(body, b"--" + boundary)))


def read_again(body: bytes) -> Form | None:
    """A form that read_form has taken; None for JSON, in which no line begins with two dashes."""
    line, _, _ = body[: END_BYTES + 70].lstrip(b"\r\n").partition(b"\r\n")
    return Form(body, line[2:], tuple(parts_of(body, line))) if line.startswith(b"--") else None


def boundary_in(content_types: Sequence[bytes]) -> bytes:
    if len(content_types) != 1:
        raise bad("send one header `content-type: multipart/form-data; boundary=…`")
    kind, semicolon, rest = content_types[0].partition(b";")
    if kind.strip().lower() != b"multipart/form-data":
        raise bad("its content-type must be `multipart/form-data; boundary=…`")
    named = parameters(semicolon + rest)
    boundary = named.get("boundary", b"")
    if not BOUNDARY.fullmatch(boundary) or len(ANY_BOUNDARY.findall(rest)) != 1:
        raise bad("its content-type must name one `boundary`, of 1 to 70 letters, digits and `'()+_,-./:=?`")
    return boundary


def parts_of(body: bytes, mark: bytes) -> list[Part]:
    """`mark` stands at the beginning of each line that separates parts, and nowhere else (RFC 2046)."""
    parts: list[Part] = []
    at = 2 if body.startswith(b"\r\n") else 0
    if not body.startswith(mark, at):
        raise bad("its body does not begin with the boundary that its content-type names")
    while True:
        at += len(mark)
        ends = body[at : at + 2]
        if ends == b"--":
            break
        if ends != b"\r\n":
            raise bad("something follows a boundary in the same line")
        if len(parts) == MOST_PARTS:
            raise bad(f"it has more than {MOST_PARTS} parts")
        start, at = at + 2, body.find(mark, at)
        if at < 0:
            raise bad("its end is missing: the boundary, with `--` after it")
        if body[at - 2 : at] != b"\r\n":
            raise bad("its boundary stands inside a part")
        parts.append(part_of(body, start, at - 2))
    if len(body) - at > END_BYTES or body[at + 2 :].strip(b" \t\r\n"):
        raise bad("something follows its end")
    return parts


def part_of(body: bytes, start: int, end: int) -> Part:
    head_end = body.find(b"\r\n\r\n", start, min(end, start + HEAD_BYTES))
    if head_end < 0:
        raise bad(f"the headers of a part do not end within {HEAD_BYTES:,} bytes")
    head = body[start:head_end]
    headers = headers_in(head)
    disposition = headers.get(b"content-disposition", b"")
    kind, semicolon, rest = disposition.partition(b";")
    if kind.strip().lower() != b"form-data" or b'\\"' in rest:
        raise bad('a part needs a header like `Content-Disposition: form-data; name="model"`, without `\\"`')
    if headers.get(b"content-type", b"").lstrip().lower().startswith((b"multipart/", b"message/")):
        raise bad("a part has parts of its own")
    named = parameters(semicolon + rest)
    name = named.pop("name", b"")
    if not NAME.fullmatch(name) or len(ANY_NAME.findall(head)) != 1 or named.keys() - {"filename", "filename*"}:
        raise bad("a part's Content-Disposition must have one plain `name`, and nothing but a `filename` beside it")
    return Part(name.decode(), bool(named), is_plain(headers), start, head_end + 4, end)


def is_plain(headers: dict[bytes, bytes]) -> bool:
    more = headers.keys() - {b"content-disposition"}
    return not more or (more == {b"content-type"} and PLAIN.fullmatch(headers[b"content-type"]) is not None)


def headers_in(head: bytes) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        found = HEADER.fullmatch(line)
        if not found or found[1].lower() in headers:
            raise bad("a part has a header that is none, that goes on in the next line, or that it has twice")
        headers[found[1].lower()] = found[2].strip(b" \t")
    return headers


def parameters(text: bytes) -> dict[str, bytes]:
    """`; name=value; name="value"`. Names are in lower case. Raises ProxyError for other text, and for a name twice."""
    text = text.rstrip(b" \t")
    if len(text) > HEAD_BYTES or not PARAMETERS.fullmatch(text):
        raise bad(MISWRITTEN)
    found = [(name.decode().lower(), token or quoted) for name, token, quoted in PARAMETER.findall(text)]
    if len(dict(found)) != len(found):
        raise bad(MISWRITTEN)
    return dict(found)


def bad(reason: str) -> ProxyError:
    return ProxyError("invalid_form", reason)
