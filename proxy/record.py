"""One record per call, for usage, faults and times. Never a prompt, an answer, a key or an id that opens an answer.

A record is printed, not logged. The Functions host drops a worker's log lines once the function has returned (its
source: GrpcWorkerChannel.Log), and an answer passes after that. The host writes printed lines to Application Insights.
"""

import asyncio
import functools
import hmac
import json
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.json import Encoder
from msgspec.structs import asdict
from opentelemetry.trace import INVALID_SPAN, Span
from starlette.requests import Request

from . import telemetry
from .errors import ProxyError
from .excerpt import Excerpt
from .fields import Fields
from .headers import FOR_PAGES
from .stranger import Strangers
from .usage import tell

if TYPE_CHECKING:  # loaded only where there are signed keys
    from .charge import Charge

FROM_HEADERS = {
    b"x-request-id": "request_id",
    b"apim-request-id": "azure_request_id",
    b"x-ms-served-model": "model_served",
}
PAUSE_SECONDS = 0.01  # a worker that dies may lose the records of this time
LONGEST_ID = 100  # characters of an id that the caller chooses


class Record:
    """Notes the facts of a call until it is over. Times count from the moment when the whole request has arrived.

    `salt` makes the fingerprints this app's own. Without a salt a key gets no fingerprint: somebody could guess a key
    that a person thought up, and compare. `caller_headers` is the caller's headers by name, in lower case; the host
    joins fields of one name.
    """

    # 1,000 streams have one each
    __slots__ = ("arrived", "caller_headers", "charge", "ended_at", "excerpt", "fields", "for_page", "salt", "span")

    def __init__(self, request: Request, route: str, salt: str) -> None:
        self.fields, self.salt = Fields(request.method, route), salt
        self.arrived, self.ended_at = time.monotonic(), 0
        self.span: Span = INVALID_SPAN
        self.excerpt: Excerpt | None = None
        self.charge: Charge | None = None
        self.caller_headers: Mapping[bytes, bytes] = dict(request.scope["headers"])
        self.for_page = b"origin" in self.caller_headers
        self.note_caller(request)

    def note_caller(self, request: Request) -> None:
        headers = self.caller_headers
        key = headers.get(b"x-functions-key") or code_of(request)
        named = headers.get(b"x-client-request-id") or headers.get(b"x-ms-client-request-id")
        self.fields.key = fingerprint(self.salt, key) if self.salt else None
        self.fields.client_request_id = named.decode("latin-1")[:LONGEST_ID] if named else None

    def note_response(self, response_id: str) -> None:
        """Notes a fingerprint of the id, because the id is enough to read a stored response."""
        self.fields.response = fingerprint(self.salt, response_id.encode())

    def received(self, size: int) -> None:
        """The whole request has arrived, with `size` bytes of body."""
        self.fields.bytes_in, self.arrived = size, time.monotonic()

    def milliseconds(self) -> float:
        return round(1000 * (time.monotonic() - self.arrived), 1)

    def server_timing(self) -> tuple[bytes, bytes]:
        """A header line of its own: Azure may send one too, and a list may span lines (RFC 9110, section 5.3)."""
        upstream = self.fields.upstream_ms
        own = self.fields.proxy_ms = max(0.0, round(self.milliseconds() - upstream, 1))
        return b"server-timing", b"upstream;dur=%.1f, proxy;dur=%.1f" % (upstream, own)

    def headers(self, status: int) -> list[tuple[bytes, bytes]]:
        """What the proxy adds to an answer."""
        told = [self.server_timing(), *(self.charge.headers(status) if self.charge else ())]
        return told + FOR_PAGES if self.for_page else told

    def note_error(self, error: ProxyError) -> None:
        """Also prints a line with the cause of an error on Azure's side, because people look for it in the log."""
        self.fields.error, self.fields.cause, self.fields.detail = error.code, error.cause, error.detail
        if error.cause:
            print(f"{error.code}: {error.cause}: {error.detail or ''}", flush=True)

    def note_answer(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        self.fields.status = status
        for name, field in FROM_HEADERS.items():
            if value := headers.get(name):
                setattr(self.fields, field, value.decode("latin-1"))

    def close(self, bytes_out: int, excerpt: Excerpt | None = None) -> None:
        """The call is over; `excerpt` is of Azure's answer. The record is printed soon. Until then it holds little:
        memory that is free at once is still in the processor's cache."""
        self.excerpt, self.ended_at = excerpt, time.time_ns()
        self.fields.bytes_out, self.fields.duration_ms = bytes_out, self.milliseconds()
        closed.append(self)
        if len(closed) == 1:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, print_closed)

    def complete(self) -> Fields:
        """Reads the excerpt, now that no caller waits, and ends the span."""
        response_id = tell(self.excerpt, self.fields) if self.excerpt else None
        if response_id:
            self.note_response(response_id)
        if self.charge:
            self.charge.settle(self.fields, self.excerpt, response_id)
        telemetry.end(self.span, self.fields, self.ended_at)
        return self.fields


encode_lines = Encoder().encode_lines
closed: list[Record] = []
strangers = Strangers()


def print_closed() -> None:
    """Prints all closed records at once, which costs a third of printing each between two calls."""
    records = closed.copy()
    closed.clear()
    if told := strangers.few([record.complete() for record in records]):
        sys.stdout.write(lines_of(told))
        sys.stdout.flush()


def lines_of(records: list[Fields]) -> str:
    """Lines in ASCII, which every reader of a console reads."""
    try:
        lines = encode_lines(records).decode("ascii")
    except UnicodeError:
        lines = "".join(json.dumps(asdict(fields)) + "\n" for fields in records)
    return "call " + lines[:-1].replace("\n", "\ncall ") + "\n"


def code_of(request: Request) -> bytes:
    """The key in the query. Most calls have no query, and Starlette takes 5 µs to find that out."""
    return request.query_params.get("code", "").encode() if request.scope["query_string"] else b""


@functools.lru_cache(maxsize=256)  # an app has few keys
def fingerprint(salt: str, secret: bytes) -> str:
    return hmac.digest(salt.encode(), secret, "sha256").hex()[:12]
