"""An entry of a cassette's `interactions` as a request and its answer: every field checked, none converted by guess.

What a server would stumble over when it replays it (a status that is none, a header with a line break, a frame that
never leaves) is refused here, with its path; the file and the line are added by whoever reads the file.
"""

import base64
import functools
import json
import math
import re
from typing import Any

from .coding import CodingError, codings_of, decoded, without_codings
from .document import MAX_BYTES, one_line
from .interaction import COMPLETE, OUTCOMES, Headers, Request, Response

Path = tuple[str, ...]
REQUIRED: Any = object()
STATUSES = range(200, 600)  # of a final answer
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header's name (RFC 9110, section 5.6.2)
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # section 5.5; sent as Latin-1


class EntryError(Exception):
    """What is wrong with a field, and the path to it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path


def request_of(entry: Any) -> Request:
    """Raises EntryError."""
    at = ("request",)
    request = _mapping(entry, (), "request")
    headers, body = _plain(_headers(request, at), _body(request, at), at)
    return Request(_text(request, at, "method").upper(), _text(request, at, "uri"), headers, body)


def response_of(entry: Any) -> Response:
    """Raises EntryError. Older vcrpy wrote `status_code` and `content`."""
    at = ("response",)
    response = _mapping(entry, (), "response")
    body = _body(response, at) if "body" in response else _bytes(response.get("content"), (*at, "content"))
    headers = _headers(response, at)
    _require_replayable(headers, at)
    headers, body = _plain(headers, body, at)
    code, reason = _status(response, at)
    times, sizes, outcome = _arrival(response, at, body)
    return Response(code, reason, headers, body, times, sizes, outcome)


def _status(response: dict[str, Any], at: Path) -> tuple[int, str]:
    if "status" in response:
        status, at, name = _mapping(response, at, "status"), (*at, "status"), "code"
        reason = status.get("message")
    else:
        status, name, reason = response, "status_code", None
    code = status.get(name, REQUIRED)
    if type(code) is not int or code not in STATUSES:
        raise wrong((*at, name), "a number from 200 to 599", code)
    if not isinstance(reason, str | None):
        raise wrong((*at, "message"), "text", reason)
    return code, reason or ""


def _headers(message: dict[str, Any], at: Path) -> Headers:
    """vcrpy writes a list of values per name; older versions and other tools a single one."""
    if message.get("headers") is None:
        return ()
    pairs = []
    for name, values in _mapping(message, at, "headers").items():
        for value in values if type(values) is list else (values,):
            if type(value) is not str and type(value) not in (int, float):
                raise wrong((*at, "headers", name), "text, or a list of texts,", value)
            pairs.append(_shared(name, str(value)))
    return tuple(pairs)


@functools.lru_cache(4096)
def _shared(name: str, value: str) -> tuple[str, str]:
    """The same object for the same header: most recordings have the same ones."""
    return name, value


def _require_replayable(headers: Headers, at: Path) -> None:
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise EntryError((*at, "headers", name), "this is no name of a header")
        if not _FIELD_VALUE.fullmatch(value):
            raise EntryError((*at, "headers", name), "the value has a character that no header can carry")


def _plain(headers: Headers, body: bytes, at: Path) -> tuple[Headers, bytes]:
    """The body as it is compared and replayed: not every client asks for every coding."""
    if not (codings := codings_of(headers)):
        return headers, body
    try:
        (text,) = decoded(codings, [body], MAX_BYTES)
    except CodingError as error:
        raise EntryError((*at, "body"), str(error)) from error
    return without_codings(headers), text


def _body(message: dict[str, Any], at: Path) -> bytes:
    return _bytes(message.get("body"), (*at, "body"))


def _bytes(value: Any, at: Path) -> bytes:
    """A body: text, bytes, null, {string: …} or {base64_string: …}."""
    if isinstance(value, dict):
        if isinstance(coded := value.get("base64_string"), str):
            return _from_base64(coded, (*at, "base64_string"))
        value, at = value.get("string"), (*at, "string")
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise EntryError(at, f"half of a surrogate pair is no text ({error.reason})") from error
    if not isinstance(value, bytes | None):
        raise wrong(at, "text, !!binary, null or {string: …}", value)
    return value or b""


def _from_base64(coded: str, at: Path) -> bytes:
    try:
        return base64.b64decode(coded)
    except ValueError as error:
        raise EntryError(at, f"it is not base64: {error}") from error


def _arrival(response: dict[str, Any], at: Path, body: bytes) -> tuple[tuple[float, ...], tuple[int, ...], str]:
    """frame_at_ms, frame_bytes and outcome."""
    if response.get("x-stream") is None:
        return (), (), COMPLETE
    arrived, at = _mapping(response, at, "x-stream"), (*at, "x-stream")
    times, sizes = _list(arrived, at, "frame_at_ms"), _list(arrived, at, "frame_bytes")
    for ms in times:
        if type(ms) not in (int, float) or not 0 <= ms < math.inf:
            raise wrong((*at, "frame_at_ms"), "a number of milliseconds", ms)
    for size in sizes:
        if type(size) is not int or size < 1:
            raise wrong((*at, "frame_bytes"), "a number of bytes", size)
    if sizes and sum(sizes) != len(body):
        raise EntryError((*at, "frame_bytes"), f"they add up to {sum(sizes)}, the body has {len(body)} bytes")
    outcome = arrived.get("outcome", COMPLETE)
    if not isinstance(outcome, str) or outcome not in OUTCOMES:
        raise wrong((*at, "outcome"), f"one of {', '.join(OUTCOMES)}", outcome)
    return tuple(map(float, times)), tuple(sizes), outcome


def _mapping(parent: Any, at: Path, name: str) -> dict[str, Any]:
    if not isinstance(parent, dict):
        raise wrong(at, "a mapping", parent)
    value = parent.get(name, REQUIRED)
    if not isinstance(value, dict):
        raise wrong((*at, name), "a mapping", value)
    return value


def _text(parent: dict[str, Any], at: Path, name: str) -> str:
    value = parent.get(name, REQUIRED)
    if not isinstance(value, str):
        raise wrong((*at, name), "text", value)
    return value


def _list(parent: dict[str, Any], at: Path, name: str) -> list[Any]:
    value = parent.get(name, [])
    if not isinstance(value, list):
        raise wrong((*at, name), "a list", value)
    return value


def wrong(at: Path, expected: str, value: Any) -> EntryError:
    return EntryError(
        at, f"{expected} was expected, " + ("but it is missing" if value is REQUIRED else f"not {_named(value)}")
    )


def _named(value: Any) -> str:
    if isinstance(value, dict | list | bytes):
        return {dict: "a mapping", list: "a list", bytes: "bytes"}[type(value)]
    return one_line(json.dumps(value, ensure_ascii=False), 40)
