"""Azure's answer on its way to the caller."""

import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import httpx
from azurefunctions.extensions.http.fastapi import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from .caller import unless_caller_leaves
from .ending import ENDINGS, Ending
from .errors import ProxyError
from .record import Record
from .upstream import FAILURES


class Relay(StreamingResponse):  # type: ignore[misc]
    """Azure's status, headers and bytes, passed on as they arrive; what the record needs is read from each chunk after
    it went on.

    Whatever happens, Azure's side is closed; so it is when the caller leaves, which Starlette's own group of tasks
    would see as well, but that takes 7 KB a stream.

    When Azure breaks off, or ends a stream before its end, the caller's connection breaks off too, because no client
    notices a clean early end; a caller who stands between two events is told why first.
    """

    def __init__(self, azure: httpx.Response, headers: list[tuple[bytes, bytes]], record: Record) -> None:
        assert isinstance(azure.stream, httpx.AsyncByteStream)
        super().__init__(self.chunks(), azure.status_code)
        self.body, self.record = azure.stream, record
        self.sent, self.outcome = 0, "caller_left"
        named = dict(headers)
        record.note_answer(azure.status_code, named)
        encoding = named.get(b"content-encoding", b"identity")
        is_stream = named.get(b"content-type", b"").startswith(b"text/event-stream")
        self.takes_events = is_stream and encoding == b"identity"
        if self.takes_events:  # without a length it can still break after its last byte
            headers = [header for header in headers if header[0] != b"content-length"]
        self.raw_headers = headers
        streams = self.takes_events and azure.status_code == 200
        self.ending = ENDINGS.get(record.fields.route if streams else "", Ending)()
        self.read = self.ending.add if encoding == b"identity" else decoded(encoding, self.ending.add)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.body:
                yield chunk
                if not self.sent:
                    self.record.fields.first_byte_ms = self.record.milliseconds()
                self.sent += len(chunk)
                self.read(chunk)
            if not self.ending.reached:
                raise httpx.RemoteProtocolError("the stream ended before its end")
            self.outcome = "complete"
        except FAILURES:
            self.outcome = "upstream_stream_broken"
            if self.takes_events and self.ending.between_events:
                yield b"data: " + ProxyError("upstream_stream_broken").body + b"\n\n"
            raise

    async def pass_whole(self, send: Send) -> None:
        """What is all here goes in one piece. Nothing is waited for, so nothing listens for the caller's leaving."""
        whole = b"".join([chunk async for chunk in self.body_iterator])
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": whole})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if getattr(self.body, "arrived", False) and not self.takes_events:
                await self.pass_whole(send)
            else:
                await unless_caller_leaves(receive, self.stream_response(send))
        except (*FAILURES, ClientDisconnect):
            pass  # no last chunk: the server closes the caller's connection
        finally:
            await self.body.aclose()
            if self.outcome == "caller_left" and self.ending.is_marked and self.ending.reached:
                self.outcome = "complete"  # some clients leave at the last event
            self.record.fields.outcome = self.outcome
            self.record.close(self.sent, self.ending.excerpt)


def decoded(encoding: bytes, read: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """`read` for an encoded answer's chunks; of an encoding other than gzip nothing is read."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress

    def decode(chunk: bytes) -> None:
        with suppress(zlib.error):
            read(inflate(chunk) if encoding == b"gzip" else b"")

    return decode
