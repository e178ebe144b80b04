"""Changes of a form: some change its meaning, and some do not. Each is a few words for people, and the new body."""

from collections.abc import Iterator
from typing import NamedTuple

from ..tape.form import CRLF, DASHES, FORM, parts_of

BOUNDARY = b"another-boundary-of-the-audit"

Changed = tuple[str, bytes]


class Raw(NamedTuple):
    """A part as it stands in a body."""

    name: str
    is_file: bool
    head: bytes
    content: bytes


def meaningful(body: bytes) -> Iterator[Changed]:
    parts = _raw(body)
    for at, part in enumerate(parts):
        before, after = parts[:at], parts[at + 1 :]
        for what, instead in _others(part):
            if instead != [part]:
                yield f"{part.name}: {what}", _written([*before, *instead, *after])
    yield "a part more", _written([*parts, _field("x-audit", b"1")])
    yield f"a part named {FORM}", _written([*parts, _field(FORM, b"true")])
    for what, reordered in _reordered(parts):
        yield what, _written(reordered)


def meaningless(body: bytes) -> Iterator[Changed]:
    """docs/recording.md lists them under "What matches what"."""
    parts = _raw(body)
    yield "another boundary", _written(parts)
    if len({part.name for part in parts}) > 1:
        by_name = sorted(parts, key=lambda part: part.name, reverse=True)
        yield "parts of different names in another order", _written(by_name)
    lengths = [part._replace(head=part.head + CRLF + b"Content-Length: %d" % len(part.content)) for part in parts]
    yield "each part with its length", _written(lengths)
    typed = [
        part
        if part.is_file or b"content-type" in part.head.lower()
        else part._replace(head=part.head + CRLF + b"Content-Type: text/plain; charset=utf-8")
        for part in parts
    ]
    yield "each field with the content type of a field", _written(typed)
    if all(part.name != "stream" for part in parts):
        yield "stream=false", _written([*parts, _field("stream", b"false")])


def _others(part: Raw) -> Iterator[tuple[str, list[Raw]]]:
    if part.name == "model":  # the path may name the deployment, and this means nothing then
        return
    yield "without it", []
    yield "a byte more", [part._replace(content=part.content + b"x")]
    yield "no bytes", [part._replace(content=b"")]
    yield "twice", [part, part]
    name = b'name="%s"' % part.name.encode()
    yield "another name", [part._replace(head=part.head.replace(name, b'name="x-audit"', 1))]
    if part.is_file:
        yield "another filename", [part._replace(head=part.head.replace(b'filename="', b'filename="x', 1))]
        yield "without its content type", [part._replace(head=part.head.split(CRLF + b"Content-Type")[0])]
    else:
        yield "as a file", [part._replace(head=part.head.replace(name, name + b'; filename="x"', 1))]


def _reordered(parts: list[Raw]) -> Iterator[tuple[str, list[Raw]]]:
    """Parts of one name are a list."""
    for name in {part.name for part in parts}:
        mine = [part for part in parts if part.name == name]
        if mine[::-1] != mine:
            rest = iter(mine[::-1])
            yield f"{name}: the other way round", [next(rest) if part.name == name else part for part in parts]


def _raw(body: bytes) -> list[Raw]:
    delimiter = body.partition(CRLF)[0]
    return [
        Raw(
            part.name,
            part.filename is not None,
            body[part.at + len(delimiter + CRLF) : part.start - 2 * len(CRLF)],
            body[part.start : part.end],
        )
        for part in parts_of(body)
    ]


def _field(name: str, value: bytes) -> Raw:
    return Raw(name, False, b'Content-Disposition: form-data; name="%s"' % name.encode(), value)


def _written(parts: list[Raw]) -> bytes:
    bodies = (DASHES + BOUNDARY + CRLF + part.head + 2 * CRLF + part.content + CRLF for part in parts)
    return b"".join([*bodies, DASHES + BOUNDARY + DASHES + CRLF])
