"""A form: a body in multipart/form-data (RFC 7578), as clients send files. It is read without its headers, because it
begins with its boundary.

Two forms mean the same when their parts do. Every client makes its boundary anew, so the boundary means nothing. Parts
of different names may stand in any order, because some clients put files first and others last; parts of one name are a
list. Everything else counts: names, values, the bytes of a file, its filename and its content type, by which the
service tells what the file is.
"""

import hashlib
from collections.abc import Mapping
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value
from typing import Any, NamedTuple

FORM = "multipart/form-data"
DASHES, CRLF = b"--", b"\r\n"
LONGEST_BOUNDARY = 70  # bytes (RFC 2046, section 5.1.1)
LONGEST_HEAD = 16_384  # bytes of a part's headers
MOST_PARTS = 1_000
LISTED = "[]"  # ends the name of a part that is an item of a list, as in image[]
DISPOSITION = "content-disposition"
NOT_COUNTED = (DISPOSITION, "content-type", "content-length")  # of a part's headers: known otherwise, or a repetition
PLAIN = ("", "text/plain", "text/plain; charset=utf-8", 'text/plain; charset="utf-8"')  # a field (RFC 7578, 4.4)


class Part(NamedTuple):
    """`content_type` is "" where the part has none. `others` are its other headers. Its delimiter begins at `at` in the
    body, and its content stands from `start` to `end`."""

    name: str
    filename: str | None
    content_type: str
    others: Mapping[str, str]
    at: int
    start: int
    end: int


def parts_of(body: bytes) -> list[Part]:
    """The parts of a form in their order; empty for a body that is none, or that is open to interpretation."""
    first = body.find(CRLF, 0, len(DASHES) + LONGEST_BOUNDARY + len(CRLF)) if body.startswith(DASHES) else -1
    delimiter, at, parts = body[: max(first, 0)], 0, list[Part]()
    while len(delimiter) > len(DASHES) and len(parts) < MOST_PARTS:
        head_at = at + len(delimiter) + len(CRLF)
        head_end = body.find(2 * CRLF, head_at, head_at + LONGEST_HEAD)
        start = head_end + 2 * len(CRLF)
        end = body.find(CRLF + delimiter, start) if head_end > 0 else -1
        part = _part(body[head_at:head_end], at, start, end) if end >= 0 else None
        if part is None:
            return []
        parts.append(part)
        at = end + len(CRLF)
        after = at + len(delimiter)
        if body.startswith(DASHES, after):
            return [] if body[after + len(DASHES) :].strip() else parts
        if not body.startswith(CRLF, after):
            return []
    return []


def fields_of(body: bytes) -> dict[str, Any]:
    """What stands for a form where JSON stands for itself: a text for a field, a mapping for a file, and a list of them
    for a name that comes twice or ends with `[]`. Empty for a body that is no form."""
    fields = dict[str, list[Any]]()
    for part in parts_of(body):
        fields.setdefault(part.name, []).append(_value(body, part))
    if not fields or FORM in fields:
        return {}
    single = {name for name, values in fields.items() if len(values) == 1 and not name.endswith(LISTED)}
    return {FORM: True} | {name: values[0] if name in single else values for name, values in fields.items()}


def is_form(parsed: Any) -> bool:
    """Whether `fields_of` made it. No JSON that is compared as JSON looks like it (canonical.py)."""
    return type(parsed) is dict and FORM in parsed


def text_of(body: bytes, part: Part) -> str | None:
    """The value of a field; None for a file."""
    try:
        return body[part.start : part.end].decode() if part.filename is None else None
    except UnicodeDecodeError:
        return None


def _value(body: bytes, part: Part) -> Any:
    others: dict[str, Any] = {"headers": dict(part.others)} if part.others else {}
    if (text := text_of(body, part)) is not None:
        kind = {} if part.content_type.lower() in PLAIN else {"content-type": part.content_type}
        return {"text": text, **kind, **others} if kind or others else text
    content = memoryview(body)[part.start : part.end]
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    named = {} if part.filename is None else {"filename": part.filename}
    return named | {"content-type": part.content_type, "bytes": len(content), "content": f"blake2b {digest}"} | others


def _part(head: bytes, at: int, start: int, end: int) -> Part | None:
    """None for headers that name no part, or twice the same."""
    try:
        headers = HeaderParser().parsestr(head.decode())
    except UnicodeDecodeError:
        return None
    said = {name.lower(): str(value) for name, value in headers.items()}
    name, filename = (headers.get_param(one, header=DISPOSITION) for one in ("name", "filename"))
    if name is None or headers.get_content_disposition() != "form-data" or len(said) < len(headers) or headers.defects:
        return None
    others = {other: value for other, value in said.items() if other not in NOT_COUNTED}
    shown = None if filename is None else collapse_rfc2231_value(filename)
    return Part(collapse_rfc2231_value(name), shown, said.get("content-type", ""), others, at, start, end)
