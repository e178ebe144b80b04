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

from msgspec.json import Encoder
from msgspec.structs import asdict
from opentelemetry.trace import INVALID_SPAN, Span
from starlette.requests import Request

from . import telemetry
from .excerpt import Excerpt
from .fields import Fields
from .usage import tell

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
        self.fields, self.salt = Fields(request.method, route), salt
        self.arrived, self.ended_at = time.monotonic(), 0
        self.span: Span = INVALID_SPAN
        self.excerpt: Excerpt | None = None
        self.note_caller(request)

    def note_caller(self, request: Request) -> None:
        headers = dict(request.scope["headers"])
        key = headers.get(b"x-functions-key") or request.query_params.get("code", "").encode()
        named = headers.get(b"x-client-request-id") or headers.get(b"x-ms-client-request-id")
        self.fields.key = fingerprint(self.salt, key) if self.salt else None
        self.fields.client_request_id = named.decode("latin-1")[:LONGEST_ID] if named else None

    def note_response(self, response_id: str) -> None:
        """Whoever has the id of a stored response can read it."""
        self.fields.response = fingerprint(self.salt, response_id.encode())

    def received(self, size: int) -> None:
        """The request is here whole, with `size` bytes of body."""
        self.fields.bytes_in, self.arrived = size, time.monotonic()

    def milliseconds(self) -> float:
        return round(1000 * (time.monotonic() - self.arrived), 1)

    def server_timing(self) -> tuple[bytes, bytes]:
        """A header field of its own: Azure may send one too, and a list may come in several (RFC 9110, section 5.3)."""
        upstream = self.fields.upstream_ms
        own = self.fields.proxy_ms = max(0.0, round(self.milliseconds() - upstream, 1))
        return b"server-timing", b"upstream;dur=%.1f, proxy;dur=%.1f" % (upstream, own)

    def close(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], bytes_out: int, excerpt: Excerpt | None = None
    ) -> None:
        """The call is over: the answer's status and headers, and what was kept of Azure's. It is printed soon, and what
        is held until then is little, because memory that is free at once is still in the processor's cache."""
        fields, self.excerpt, self.ended_at = self.fields, excerpt, time.time_ns()
        fields.status, fields.bytes_out, fields.duration_ms = status, bytes_out, self.milliseconds()
        for header, value in headers:
            if header in FROM_HEADERS:
                setattr(fields, FROM_HEADERS[header], value.decode("latin-1"))
        closed.append(self)
        if len(closed) == 1:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, print_closed)

    def line(self) -> str:
        if self.excerpt and (response_id := tell(self.excerpt, self.fields)):
            self.note_response(response_id)
        telemetry.end(self.span, self.fields, self.ended_at)
        return f"call {as_json(self.fields)}\n"


def as_json(fields: Fields) -> str:
    """In ASCII: who reads the console may not read more."""
    try:
        return encode(fields).decode("ascii")
    except UnicodeError:
        return json.dumps(asdict(fields))


encode = Encoder().encode
closed: list[Record] = []


def print_closed() -> None:
    """Several in one go cost a third of what each alone does between two calls."""
    records = closed.copy()
    closed.clear()
    sys.stdout.write("".join([record.line() for record in records]))
    sys.stdout.flush()


@functools.lru_cache(maxsize=256)  # of the few keys that there are
def fingerprint(salt: str, secret: bytes) -> str:
    return hmac.digest(salt.encode(), secret, "sha256").hex()[:12]
