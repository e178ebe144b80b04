"""One record per call, for usage, faults and times. Never a prompt, an answer, a key or an id that opens one."""

import hmac
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import INVALID_SPAN, Span
from starlette.requests import Request

from . import telemetry

FIELDS = (  # README.md says what each is
    *("method", "route", "model", "deployment", "model_served", "status", "outcome", "error", "finish_reason"),
    *("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens"),
    *("upstream_ms", "proxy_ms", "first_byte_ms", "duration_ms", "bytes_in", "bytes_out"),
    *("key", "response", "client_request_id", "request_id", "azure_request_id"),
)
FROM_HEADERS = {  # of the answer
    "request_id": b"x-request-id",
    "azure_request_id": b"apim-request-id",
    "model_served": b"x-ms-served-model",
}
LONGEST_ID = 100  # characters of an id that the caller chose

log = logging.getLogger("azure_openai_proxy")


class Record:
    """What becomes known of a call, until it is over; None is unknown. Times count from when the request has arrived
    whole, in milliseconds.

    `salt` makes fingerprints this app's own. Without one a key has no fingerprint: a key that somebody thought up could
    be guessed from it.
    """

    def __init__(self, request: Request, route: str, salt: str) -> None:
        self.fields: dict[str, Any] = dict.fromkeys(FIELDS)
        self.salt, self.arrived, self.upstream_ms = salt.encode(), time.monotonic(), 0.0
        self.span: Span = INVALID_SPAN
        headers = dict(request.headers.raw)
        key = headers.get(b"x-functions-key") or request.query_params.get("code", "").encode()
        named = headers.get(b"x-client-request-id") or headers.get(b"x-ms-client-request-id")
        self.note(
            method=request.method,
            route=route,
            key=self.fingerprint(key) if salt else None,
            client_request_id=named and named.decode("latin-1")[:LONGEST_ID],
        )

    def note(self, **fields: Any) -> None:
        self.fields |= {name: value for name, value in fields.items() if value is not None}

    def fingerprint(self, secret: bytes) -> str:
        return hmac.digest(self.salt, secret, "sha256").hex()[:12]

    def received(self, size: int) -> None:
        """The request is here whole, with `size` bytes of body."""
        self.fields["bytes_in"], self.arrived = size, time.monotonic()

    def milliseconds(self) -> float:
        return round(1000 * (time.monotonic() - self.arrived), 1)

    @contextmanager
    def waiting_for_azure(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.upstream_ms = 1000 * (time.monotonic() - began)

    def server_timing(self) -> tuple[bytes, bytes]:
        """A header field of its own: Azure may send one too, and a list may come in several (RFC 9110, section 5.3)."""
        upstream, own = round(self.upstream_ms, 1), round(max(0.0, self.milliseconds() - self.upstream_ms), 1)
        self.note(upstream_ms=upstream, proxy_ms=own)
        return b"server-timing", b"upstream;dur=%.1f, proxy;dur=%.1f" % (upstream, own)

    def write(
        self, status: int, headers: list[tuple[bytes, bytes]], response_id: str | None = None, **fields: Any
    ) -> None:
        """The call is over."""
        self.note(status=status, duration_ms=self.milliseconds(), **fields)
        named = dict(headers)
        self.note(**{field: named[name].decode("latin-1") for field, name in FROM_HEADERS.items() if name in named})
        if response_id:
            self.note(response=self.fingerprint(response_id.encode()))
        telemetry.end(self.span, self.fields)
        log.info("call %s", json.dumps(self.fields))
