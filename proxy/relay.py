"""Azure's answer on its way to the caller."""

from collections.abc import AsyncIterator, Callable

import httpx
from azurefunctions.extensions.http.fastapi import StreamingResponse
from starlette.types import Receive, Scope, Send

from .ending import Ending
from .errors import ProxyError
from .upstream import FAILURES


class Relay(StreamingResponse):  # type: ignore[misc]
    """Azure's status, headers and bytes, passed on as they arrive.

    Starlette cancels the stream when the caller leaves; whatever happens, Azure's side is closed. When Azure breaks
    off, or ends a stream before its end, the caller's connection breaks off too, because no client notices a clean
    early end; a caller who stands between two events is told why first.
    """

    def __init__(
        self, azure: httpx.Response, headers: list[tuple[bytes, bytes]], ending: Ending | None, log: Callable[..., None]
    ) -> None:
        super().__init__(self.chunks(), azure.status_code)
        self.raw_headers = headers
        self.azure, self.ending, self.log = azure, ending, log
        self.sent, self.outcome = 0, "caller_left"

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.azure.aiter_raw():
                yield chunk
                self.sent += len(chunk)
                if self.ending:
                    self.ending.add(chunk)
            if self.ending and not self.ending.reached:
                raise httpx.RemoteProtocolError("the stream ended before its end")
            self.outcome = "complete"
        except FAILURES:
            self.outcome = "upstream_stream_broken"
            if self.ending and self.ending.between_events:
                yield b"data: " + ProxyError("upstream_stream_broken").body + b"\n\n"
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except FAILURES:
            pass  # no last chunk: the server closes the caller's connection
        finally:
            await self.azure.aclose()
            self.log(self.status_code, bytes=self.sent, outcome=self.outcome)
