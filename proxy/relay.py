"""Azure's answer on its way to the caller."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, cast

import httpx
from azurefunctions.extensions.http.fastapi import Response, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from .caller import unless_caller_leaves
from .coding import Bad, Decoder, codings_of, is_readable
from .ending import ending_of
from .errors import ProxyError
from .record import Record
from .upstream import FAILURES, STREAM_SILENCE_SECONDS, is_timeout

if TYPE_CHECKING:  # loaded in the background
    from .transport import Body

KEEP_ALIVE = b": keep-alive\n\n"  # a comment (HTML standard, section 9.2.6), which every client skips


class Relay(StreamingResponse):  # type: ignore[misc]
    """Passes on Azure's status, headers and bytes as they arrive. Reads each chunk for the record after it went on.

    Closes Azure's side whatever happens, also when the caller leaves. Starlette's own group of tasks would notice a
    caller who leaves, too, but takes 7 KB a stream.

    When Azure breaks off, or ends a stream too early, breaks the caller's connection as well, because no client notices
    a clean early end. Between two events it tells the caller why first.
    """

    def __init__(
        self, azure: httpx.Response, headers: list[tuple[bytes, bytes]], record: Record, keepalive: float = 0.0
    ) -> None:
        self.status_code, self.background = azure.status_code, None  # Starlette's own way costs 5 µs
        assert isinstance(azure.stream, httpx.AsyncByteStream)
        self.body, self.record = azure.stream, record
        self.sent, self.outcome = 0, "caller_left"
        named = dict(headers)
        record.note_answer(azure.status_code, named)
        kind = named.get(b"content-type", b"")
        self.is_stream = kind.startswith(b"text/event-stream")
        codings = codings_in(headers) if b"content-encoding" in named else ()
        self.takes_events = self.is_stream and not codings
        if self.is_stream:  # without a length, the Relay can still break the stream after its last byte
            headers = [header for header in headers if header[0] != b"content-length"]
        self.raw_headers = headers
        self.decoder = Decoder(codings) if codings and is_readable(codings) else None
        unreadable = bool(codings) and not self.decoder
        self.ending = ending_of(record.fields.route, azure.status_code, kind, self.is_stream, unreadable)
        self.add: Callable[[bytes], None] = self.ending.add
        if record.charge and self.is_stream:
            self.add = record.charge.watching(self.add, coded=bool(codings))
        self.read = self.read_decoded if codings else self.add
        if self.takes_events and keepalive and (tell_silence := getattr(self.body, "tell_silence", None)):
            tell_silence(keepalive, STREAM_SILENCE_SECONDS)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.body:
                if not chunk:  # stands for silence
                    if self.ending.between_events:
                        yield KEEP_ALIVE
                    continue
                yield chunk
                if not self.sent:
                    self.note_first_byte()
                self.sent += len(chunk)
                self.read(chunk)
            self.note_end()
        except FAILURES as error:
            silent = is_timeout(error)
            self.outcome = "silent" if silent else "upstream_stream_broken"
            if self.takes_events and self.ending.between_events:
                told = ProxyError("upstream_stream_silent" if silent else "upstream_stream_broken")
                yield b"data: " + told.body + b"\n\n"
            raise

    def note_first_byte(self) -> None:
        self.record.fields.first_byte_ms = self.record.milliseconds()

    def note_end(self) -> None:
        """Raises httpx.RemoteProtocolError where Azure has ended too early."""
        if not self.ending.reached or (self.decoder and not self.decoder.whole):
            raise httpx.RemoteProtocolError("the answer ended before its end")
        self.outcome = "complete"

    def read_decoded(self, chunk: bytes) -> None:
        """Reads the decoded chunk. A chunk that cannot be decoded passes unread."""
        if self.decoder:
            try:
                for piece in self.decoder.pieces(chunk):
                    self.add(piece)
            except Bad:
                self.decoder = None

    async def pass_whole(self, send: Send) -> None:
        """Sends an answer that has arrived whole in one piece. It waits for nothing, so it need not notice a caller who
        leaves."""
        try:
            if whole := cast("Body", self.body).whole():
                self.note_first_byte()
                self.sent = len(whole)
                self.read(whole)
            self.note_end()
        except FAILURES:
            self.outcome = "upstream_stream_broken"
            error = ProxyError("upstream_stream_broken")
            answer = Response(error.body, error.status, error.headers)
            self.status_code, self.raw_headers, whole = answer.status_code, answer.raw_headers, error.body
        await self.send_at_once(send, whole)

    async def send_at_once(self, send: Send, body: bytes) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                self.outcome = "complete"
                await self.send_at_once(send, b"")
            elif getattr(self.body, "arrived", False) and not self.is_stream:
                await self.pass_whole(send)
            else:
                self.body_iterator = self.chunks()
                await unless_caller_leaves(receive, self.stream_response(send))
        except (*FAILURES, ClientDisconnect):
            pass  # without a last chunk the server closes the caller's connection
        finally:
            await self.body.aclose()
            if self.outcome == "caller_left" and self.ending.is_marked and self.ending.reached:
                self.outcome = "complete"  # some clients leave at the last event
            self.record.fields.outcome = self.outcome
            self.record.close(self.sent, self.ending.excerpt)


def codings_in(headers: list[tuple[bytes, bytes]]) -> tuple[str, ...]:
    named = b",".join(value for name, value in headers if name == b"content-encoding")
    return codings_of(named.decode("latin-1"))
