"""An entry of a cassette's `interactions` as a request and its answer. It checks each field and guesses none.

It refuses every value that a server could not replay (a wrong status, a header with a line break, a frame that never
leaves), and names the path. The caller, which reads the file, adds the file and the line.
"""

import functools
import math
import re
from typing import Any

from .body import body_of
from .coding import CodingError, codings_of, decoded, without_codings
from .document import MAX_BYTES
from .field import REQUIRED, EntryError, Path, items, mapping, refuse_misspelt, text, wrong
from .interaction import COMPLETE, OUTCOMES, Headers, Request, Response

REQUEST, RESPONSE = ("method", "uri", "headers", "body"), ("status", "headers", "body")
OLD_RESPONSE = ("headers", "content")  # beside `status_code`
WITH_BODY = ("POST", "PUT", "PATCH")
STATUSES = range(200, 600)  # of a final answer
WITHOUT_BODY = (204, 304)  # RFC 9110, section 6.4.1
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header's name (RFC 9110, section 5.6.2)
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # section 5.5; sent as Latin-1


def request_of(entry: Any) -> Request:
    """Raises EntryError."""
    at = ("request",)
    request = mapping(entry, (), "request")
    refuse_misspelt(request, at, REQUEST)
    method, uri = text(request, at, "method").upper(), text(request, at, "uri")
    headers, body = _plain(_headers(request, at), body_of(request, at, needed=method in WITH_BODY), at)
    return Request(method, uri, headers, body)


def response_of(entry: Any, method: str = "POST") -> Response:
    """The answer to a request with this method. Raises EntryError. Older vcrpy wrote `status_code` and `content`."""
    at = ("response",)
    response = mapping(entry, (), "response")
    refuse_misspelt(response, at, OLD_RESPONSE if "status_code" in response else RESPONSE)
    code, reason = _status(response, at)
    body = body_of(response, at, needed=code not in WITHOUT_BODY and method != "HEAD")
    headers = _headers(response, at)
    _require_replayable(headers, at)
    headers, body = _plain(headers, body, at)
    times, sizes, outcome = _arrival(response, at, body)
    return Response(code, reason, headers, body, times, sizes, outcome)


def _status(response: dict[str, Any], at: Path) -> tuple[int, str]:
    if "status" in response:
        status, at, name = mapping(response, at, "status"), (*at, "status"), "code"
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
    """vcrpy writes a list of values for each name. Older versions and other tools write a single value."""
    if message.get("headers") is None:
        return ()
    pairs = []
    for name, values in mapping(message, at, "headers").items():
        for value in values if type(values) is list else (values,):
            if type(value) is not str and type(value) not in (int, float):
                raise wrong((*at, "headers", name), "text, or a list of texts,", value)
            pairs.append(_shared(name, str(value)))
    return tuple(pairs)


@functools.lru_cache(4096)
def _shared(name: str, value: str) -> tuple[str, str]:
    """Returns one object for equal headers, because most recordings have the same headers."""
    return name, value


def _require_replayable(headers: Headers, at: Path) -> None:
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise EntryError((*at, "headers", name), "this is no name of a header")
        if not _FIELD_VALUE.fullmatch(value):
            raise EntryError((*at, "headers", name), "the value has a character that no header can carry")


def _plain(headers: Headers, body: bytes, at: Path) -> tuple[Headers, bytes]:
    """The body without compression, because not every client accepts the recorded coding."""
    if not (codings := codings_of(headers)):
        return headers, body
    try:
        (text,) = decoded(codings, [body], MAX_BYTES)
    except CodingError as error:
        raise EntryError((*at, "body"), str(error)) from error
    return without_codings(headers), text


def _arrival(response: dict[str, Any], at: Path, body: bytes) -> tuple[tuple[float, ...], tuple[int, ...], str]:
    """frame_at_ms, frame_bytes and outcome."""
    if response.get("x-stream") is None:
        return (), (), COMPLETE
    arrived, at = mapping(response, at, "x-stream"), (*at, "x-stream")
    times, sizes = items(arrived, at, "frame_at_ms"), items(arrived, at, "frame_bytes")
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
