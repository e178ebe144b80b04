"""One record per call, for usage, faults and times. Never a prompt, an answer, a key or an id that opens one.

It is printed, not logged: the Functions host drops what a worker logs once the function has returned (its source:
GrpcWorkerChannel.Log), and an answer is passed on after that. What is printed it writes to Application Insights.
"""

import asyncio
import functools
import hmac
import json
import sys
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec.json import encode
from opentelemetry.trace import INVALID_SPAN, Span
from starlette.requests import Request

from . import telemetry
from .excerpt import Excerpt
from .usage import told

FIELDS = (  # README.md says what each is
    *("method", "route", "model", "deployment", "model_served", "status", "outcome", "error", "finish_reason"),
    *("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens"),
    *("upstream_ms", "proxy_ms", "first_byte_ms", "duration_ms", "bytes_in", "bytes_out"),
    *("key", "response", "client_request_id", "request_id", "azure_request_id", "path"),
)
UNKNOWN = dict.fromkeys(FIELDS)
FROM_HEADERS = {
    b"x-request-id": "request_id",
    b"apim-request-id": "azure_request_id",
    b"x-ms-served-model": "model_served",
}
PAUSE_SECONDS = 0.01  # what a worker that dies may lose
LONGEST_ID = 100  # characters of an id that the caller chose


class Record:
    """What becomes known of a call, until it is over; None is unknown. Times count from when the request has arrived
    whole, in milliseconds.

    `salt` makes fingerprints this app's own. Without one a key has no fingerprint: a key that somebody thought up could
    be guessed from it.
    """

    def __init__(self, request: Request, route: str, salt: str) -> None:
        self.request, self.salt = request, salt
        self.arrived, self.upstream_ms = time.monotonic(), 0.0
        self.span: Span = INVALID_SPAN
        self.fields: dict[str, Any] = {"method": request.method, "route": route, "model": None}

    def note(self, **fields: Any) -> None:
        self.fields.update(fields)

    def note_response(self, response_id: str) -> None:
        """Whoever has the id of a stored response can read it."""
        self.fields["response"] = fingerprint(self.salt, response_id.encode())

    def received(self, size: int) -> None:
        """The request is here whole, with `size` bytes of body."""
        self.fields["bytes_in"], self.arrived = size, time.monotonic()

    def milliseconds(self) -> float:
        return round(1000 * (time.monotonic() - self.arrived), 1)

    def server_timing(self) -> tuple[bytes, bytes]:
        """A header field of its own: Azure may send one too, and a list may come in several (RFC 9110, section 5.3)."""
        upstream = self.upstream_ms
        own = self.fields["proxy_ms"] = max(0.0, round(self.milliseconds() - upstream, 1))
        return b"server-timing", b"upstream;dur=%.1f, proxy;dur=%.1f" % (upstream, own)

    def close(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], excerpt: Excerpt | None = None, **fields: Any
    ) -> None:
        """The call is over: the answer's status and headers, and what was kept of Azure's. It is printed soon, and what
        is held until then is little, because memory that is free at once is still in the processor's cache."""
        self.fields |= fields
        self.note_caller()
        self.note(status=status, upstream_ms=self.upstream_ms, duration_ms=self.milliseconds())
        for header, value in headers:
            if header in FROM_HEADERS:
                self.fields[FROM_HEADERS[header]] = value.decode("latin-1")
        closed.append(Closed(self.fields, excerpt, self.salt, self.span, time.time_ns()))
        if len(closed) == 1:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, print_closed)

    def note_caller(self) -> None:
        headers = dict(self.request.headers.raw)
        key = headers.get(b"x-functions-key") or self.request.query_params.get("code", "").encode()
        named = headers.get(b"x-client-request-id") or headers.get(b"x-ms-client-request-id")
        self.fields["key"] = fingerprint(self.salt, key) if self.salt else None
        self.fields["client_request_id"] = named.decode("latin-1")[:LONGEST_ID] if named else None


class Closed(NamedTuple):
    """What of a record waits to be printed; the span ended `at`, in nanoseconds since 1970."""

    fields: dict[str, Any]
    excerpt: Excerpt | None
    salt: str
    span: Span
    at: int

    def line(self) -> str:
        found = told(self.excerpt) if self.excerpt else {}
        if response_id := found.pop("response_id", None):
            found["response"] = fingerprint(self.salt, response_id.encode())
        fields: dict[str, Any] = UNKNOWN | found | self.fields
        telemetry.end(self.span, fields, self.at)
        return f"call {as_json(fields)}\n"


def as_json(fields: dict[str, Any]) -> str:
    """In ASCII: who reads the console may not read more."""
    try:
        return encode(fields).decode("ascii")
    except UnicodeError:
        return json.dumps(fields)


closed: list[Closed] = []


def print_closed() -> None:
    """Several in one go cost a third of what each alone does between two calls."""
    records = closed.copy()
    closed.clear()
    sys.stdout.write("".join([record.line() for record in records]))
    sys.stdout.flush()


@functools.lru_cache(maxsize=256)  # of the few keys that there are
def fingerprint(salt: str, secret: bytes) -> str:
    return hmac.digest(salt.encode(), secret, "sha256").hex()[:12]
