"""How the function reaches Azure OpenAI: one HTTP client for the whole process."""

import asyncio
import functools
import gc
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict
from yarl import URL

CONNECT_SECONDS = 10.0  # TCP and TLS; Azure answers in milliseconds or not at all
POOL_SECONDS = 15.0  # a free connection, connecting included (aiohttp counts both)
READ_SECONDS = 225.0  # between two bytes; Azure's load balancer cuts a silent connection at 230 s without a word
KEEPALIVE_SECONDS = 4.0  # below common servers' idle limits (5 s and up): no POST may meet a connection being closed
MAX_CONNECTIONS = 4_096  # far above what one instance serves; the host's own concurrency limit comes first

FAILURES = (aiohttp.ClientError, OSError, httpx.HTTPError)  # of a connection; TimeoutError is an OSError

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and a query may be private


parsed = functools.lru_cache(64)(httpx.URL)  # a process calls few


def text(header: bytes) -> str:
    """A header's name or value: UTF-8, or else the bytes as Latin-1 (RFC 9110, section 5.5: opaque)."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def is_timeout(failure: BaseException) -> bool:
    return isinstance(failure, TimeoutError)


class Wire(ResponseHandler):
    """aiohttp's connection (3.14, with its C parser), but for two things."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Only after a pause: aiohttp resumes, and parses, after each chunk that is read."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def set_exception(self, *error: Any) -> None:
        """Tells who reads a body that its chunks are malformed: aiohttp tells nobody, and the reader waits for ever."""
        if self._payload and not self._payload.is_eof() and not self._payload.exception():
            self._payload.set_exception(aiohttp.ClientPayloadError("malformed answer"))
        super().set_exception(*error)


class Body(httpx.AsyncByteStream):
    """An answer's body, in the pieces that have arrived."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    @property
    def arrived(self) -> bool:
        """Whether all of it is here: then there is nothing to wait for."""
        return self.answer.content.is_eof()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.answer.content.iter_any().__aiter__()

    async def aclose(self) -> None:
        self.answer.close()  # a no-op for an answer read to its end


class Transport(httpx.AsyncBaseTransport):
    """httpx over aiohttp, which does not slow down as concurrency rises; everything goes out as it came in."""

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            ssl=httpx.create_ssl_context(trust_env=False),
        )
        connector._factory = functools.partial(Wire, asyncio.get_running_loop())  # type: ignore[assignment]
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # one caller's cookie must never reach another
            skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(connect=POOL_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Azure's answer up to the end of its headers. Raises FAILURES, and so does reading on."""
        answer = await self.session.request(
            request.method,
            URL(str(request.url), encoded=True),  # aiohttp alone would decode %2F and %7E in a query
            headers=CIMultiDict([(text(name), text(value)) for name, value in request.headers.raw]),
            data=await request.aread() or None,
            allow_redirects=False,
        )
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=Body(answer), request=request)

    async def aclose(self) -> None:
        await self.session.close()


class Client(httpx.AsyncClient):
    """An httpx client that sends a request once and as it is: its authentication, redirects, cookies and hooks, which
    a proxy must not have, cost as much as aiohttp does."""

    def __init__(self) -> None:
        self.transport = Transport()
        super().__init__(transport=self.transport, trust_env=False)

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        answer = await self.transport.handle_async_request(request)
        if not stream:
            await answer.aread()
        return answer


@functools.cache
def client() -> httpx.AsyncClient:
    """The one client of this process, made inside the running event loop."""
    gc.freeze()  # all is loaded by now: collecting it again and again would stop every stream for 60 ms a time
    gc.set_threshold(20_000, 50, 100)
    return Client()
