"""Kestrel, the web server of the Functions host: which requests it refuses before the host sees them.

The limits are Kestrel's defaults (its source: KestrelServerLimits). The host changes only the size of a body. Each
refusal was recorded: tests/host/recorded.
"""

import os
import re
from http import HTTPStatus

from starlette.types import Scope

from .fields import AROUND_A_FIELD, Fields

MAX_HEADERS = 100
MAX_HEADER_BYTES = 32_768
MAX_REQUEST_LINE_BYTES = 8_192
REQUEST_LINE_REST = len(" ? HTTP/1.1\r\n")

AUTHORITY = "emulator.authority"
"""The key in a scope's extensions that holds the text behind `://` when a request names a whole URL."""

HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{3,}\]|[!$&'()\-._~0-9A-Za-z]+)(:[0-9]+)?")
"""Kestrel's HttpUtilities.IsHostHeaderValid. Kestrel takes an empty host, which then fails behind it."""

MIN_BODY_RATE = 240.0
"""Bytes per second. Kestrel gives a slower body up, but not before BODY_GRACE_S."""
BODY_GRACE_S = 5.0

BODY_LIMIT_BYTES = 104_857_600
"""The host's default (its source: HttpRequestBodySizeMiddleware). An app setting changes it."""
BODY_LIMIT_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"


def body_limit() -> int:
    return int(os.environ.get(BODY_LIMIT_SETTING) or BODY_LIMIT_BYTES)


def refusal(scope: Scope, fields: Fields) -> HTTPStatus | None:
    """The status with which Kestrel refuses the request, without a body; None when it takes the request."""
    if len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + REQUEST_LINE_REST > (
        MAX_REQUEST_LINE_BYTES
    ):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    named = fields.first
    is_usual = b"host" in named and not fields.repeat and b"transfer-encoding" not in named and fields.text.isascii()
    for name, value in [(b"host", named[b"host"])] if is_usual else fields.given:
        if name == b"host":
            if not value:
                return HTTPStatus.INTERNAL_SERVER_ERROR
            if not is_host_of(value, scope):
                return HTTPStatus.BAD_REQUEST
        if name == b"transfer-encoding" and value.lower().rpartition(b",")[2].strip() != b"chunked":
            return HTTPStatus.BAD_REQUEST
        if not value.isascii() and not is_utf8(value):
            return HTTPStatus.BAD_REQUEST
    count = len(fields.given)
    if count > MAX_HEADERS or len(fields.text) + AROUND_A_FIELD * count + len("\r\n") > MAX_HEADER_BYTES:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if is_usual and scope["http_version"] != "1.0":
        return None
    hosts = [value for name, value in fields.given if name == b"host"]
    is_old = scope["http_version"] == "1.0"
    needs_length = is_old and scope["method"] in ("POST", "PUT")
    has_length = b"content-length" in named or b"transfer-encoding" in named
    if len(hosts) > 1 or (not hosts and not is_old) or (needs_length and not has_length):
        return HTTPStatus.BAD_REQUEST
    return None


def is_host_of(value: bytes, scope: Scope) -> bool:
    """Whether the host is well formed. When a request names a whole URL, it must be the URL's host, `:80` optional."""
    if (rest := scope.get("extensions", {}).get(AUTHORITY)) is None:
        return HOST.fullmatch(value) is not None
    authority = re.split(rb"[/?#]", rest)[0].rpartition(b"@")[2].lower().removesuffix(b":80")
    return value in (authority, authority + b":80")


def is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def slowest_end(began: float, received: int) -> float:
    """The time at which Kestrel gives a body up. `began` is its start, and `received` its bytes so far."""
    return began + max(BODY_GRACE_S, received / MIN_BODY_RATE)
