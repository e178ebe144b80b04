"""Changes texts of an interaction in place. All other bytes stay, and lengths and frames are adjusted."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from ..tape.coding import CodingError, codings_of, decoded, without_codings
from ..tape.document import MAX_BYTES
from ..tape.interaction import Headers, Interaction, Request, Response, sse_frames
from .piece import pieces

Edits = list[tuple[int, int, str]]  # (start, end, new text), in order and without overlap
Editor = Callable[[str], Edits]


class Text(NamedTuple):
    """A text of an interaction, and the name of its part, such as `request body`. `is_file`: see Piece."""

    part: str
    text: str
    is_file: bool = False


def texts(interaction: Interaction) -> Iterator[Text]:
    """Every text that a cassette holds. A body is Latin-1: a character is a byte."""
    for part, message in (("request", interaction.request), ("response", interaction.response)):
        yield from (Text(f"{part} header {name.lower()}", f"{name}: {value}") for name, value in message.headers)
        for piece in pieces(message):
            yield Text(f"{part} body {piece.within}".rstrip(), piece.text, piece.is_file)
    yield Text("request method", interaction.request.method)
    yield Text("request address", interaction.request.uri)
    yield Text("response reason", interaction.response.reason)


def rewritten(interaction: Interaction, editor: Editor) -> Interaction:
    """The interaction with the editor's changes in each of its texts."""
    request, response = interaction.request, interaction.response
    body = _edited_body(request.body, _edits(request, editor))
    headers = _with_length(_headers(request.headers, editor), request.body, body)
    method, uri = _edited(request.method, editor(request.method)), _edited(request.uri, editor(request.uri))
    reason = _edited(response.reason, editor(response.reason))
    answered = replace(response, reason=reason, headers=_headers(response.headers, editor))
    if edits := _edits(response, editor):
        answered = in_pieces(answered, _pieces(answered, edits))
    return replace(interaction, request=Request(method, uri, headers, body), response=answered)


def _edits(message: Request | Response, editor: Editor) -> Edits:
    """Those of the body. A file stays as it is."""
    return [
        (piece.start + start, piece.start + end, text)
        for piece in pieces(message)
        for start, end, text in (() if piece.is_file else editor(piece.text))
    ]


def unpacked(interaction: Interaction) -> Interaction:
    """The interaction without compression where it can be removed. A stream's pieces stay pieces."""
    request, response = interaction.request, interaction.response
    if bodies := _decompressed(request.headers, [request.body]):
        headers = _with_length(without_codings(request.headers), request.body, bodies[0])
        request = replace(request, headers=headers, body=bodies[0])
    if pieces := _decompressed(response.headers, response.frames()):
        response = in_pieces(replace(response, headers=without_codings(response.headers)), pieces)
    return replace(interaction, request=request, response=response)


def in_pieces(response: Response, pieces: list[bytes]) -> Response:
    """The answer with this body in as many pieces as before. The bytes of an empty piece are in the piece before it."""
    body, at = b"".join(pieces), response.frame_at_ms
    if len(at) == len(pieces):
        at = tuple(ms for ms, piece in zip(at, pieces, strict=True) if piece)
    pieces = [piece for piece in pieces if piece]
    usual = sse_frames(body) if response.is_stream else [body]
    sizes = tuple(map(len, pieces)) if pieces not in (usual, []) else ()
    headers = _with_length(response.headers, response.body, body)
    return replace(response, headers=headers, body=body, frame_at_ms=at, frame_bytes=sizes)


def _pieces(response: Response, edits: Edits) -> list[bytes]:
    """The edited body, cut at the old places. A cut that falls into an edit moves behind it."""
    old = list(itertools.accumulate(map(len, response.frames())))
    new = []
    for end in old:
        before = [edit for edit in edits if edit[0] < end]
        grown = sum(len(text) - (to - start) for start, to, text in before)
        new.append(max(end, before[-1][1] if before else 0) + grown)
    body = _edited_body(response.body, edits)
    return [body[start:end] for start, end in itertools.pairwise([0, *new])]


def _edited(text: str, edits: Edits) -> str:
    for start, end, instead in reversed(edits):
        text = text[:start] + instead + text[end:]
    return text


def _edited_body(body: bytes, edits: Edits) -> bytes:
    return _edited(body.decode("latin-1"), edits).encode("latin-1") if edits else body


def _headers(headers: Headers, editor: Editor) -> Headers:
    """The editor sees `name: value`."""
    said = ((name, f"{name}: {value}") for name, value in headers)
    return tuple((name, _edited(text, editor(text))[len(name) + 2 :]) for name, text in said)


def _with_length(headers: Headers, old: bytes, new: bytes) -> Headers:
    if old == new:
        return headers
    return tuple((name, str(len(new)) if name.lower() == "content-length" else value) for name, value in headers)


def _decompressed(headers: Headers, pieces: list[bytes]) -> list[bytes]:
    """Empty when nothing can be decompressed."""
    if without_codings(headers) == headers:
        return []
    try:
        return decoded(codings_of(headers), pieces, MAX_BYTES)
    except CodingError:
        return []
