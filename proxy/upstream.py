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
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

CONNECT_SECONDS = 10.0  # TCP and TLS; Azure answers in milliseconds or not at all
POOL_SECONDS = 15.0  # a free connection, connecting included (aiohttp counts both)
READ_SECONDS = 225.0  # between two bytes; Azure's load balancer cuts a silent connection at 230 s without a word
KEEPALIVE_SECONDS = 4.0  # below common servers' idle limits (5 s and up): no POST may meet a connection being closed
MAX_CONNECTIONS = 4_096  # far above what one instance serves; the host's own concurrency limit comes first

COPIED_BYTES = 65_536  # a body up to this size leaves in one write with its head

TIMEOUT = aiohttp.ClientTimeout(connect=POOL_SECONDS, sock_connect=CONNECT_SECONDS)
RESPONSE_PARAMETERS: dict[str, Any] = {
    "read_until_eof": True,
    "auto_decompress": False,
    "read_timeout": READ_SECONDS,
    "read_bufsize": 65_536,
}
FAILURES = (aiohttp.ClientError, OSError, httpx.HTTPError)  # of a connection; TimeoutError is an OSError

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and a query may be private


parsed = functools.lru_cache(64)(httpx.URL)  # a process calls few


def request(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> httpx.Request:
    """What httpx makes of `content=body`, at a third of its cost."""
    target = parsed(url)
    own = [(b"host", target.netloc)]
    if body or method == "POST":
        own.append((b"content-length", b"%d" % len(body)))
    return httpx.Request(method, target, headers=own + headers, stream=httpx.ByteStream(body))


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
    """An answer's body, in the pieces that have arrived. Its connection is free again at its end."""

    def __init__(self, connection: Connection, content: aiohttp.StreamReader) -> None:
        self.connection, self.content = connection, content
        content.on_eof(connection.release)

    @property
    def arrived(self) -> bool:
        """Whether all of it is here: then there is nothing to wait for."""
        return self.content.is_eof()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.content.iter_any().__aiter__()

    async def aclose(self) -> None:
        self.connection.close()  # a no-op after its release


class Transport(httpx.AsyncBaseTransport):
    """httpx over aiohttp's connections, which do not slow down as concurrency rises. aiohttp's session is left out: its
    cookies, redirects and merging of headers, which a proxy must not have, cost more than the connections do."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            ssl=httpx.create_ssl_context(trust_env=False),
        )
        self.connector._factory = functools.partial(Wire, self.loop)  # type: ignore[assignment]
        self.address = functools.lru_cache(64)(self.address_of)

    def address_of(self, scheme: str, host: str, port: int | None) -> aiohttp.ClientRequest:
        """Where the connector connects to; it takes that from a request, of which nothing else is used."""
        return aiohttp.ClientRequest("GET", URL.build(scheme=scheme, host=host, port=port), loop=self.loop)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Azure's answer up to the end of its headers. Raises FAILURES, and so does reading on."""
        sent = head_of(request), await request.aread()
        try:
            return await self.exchange(request, *sent)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as lost:
            if request.method != "GET" or isinstance(lost, aiohttp.ClientConnectorError):
                raise
            return await self.exchange(request, *sent)

    async def exchange(self, request: httpx.Request, head: bytes, body: bytes) -> httpx.Response:
        url = request.url
        connection = await self.connector.connect(self.address(url.scheme, url.host, url.port), [], TIMEOUT)
        try:
            wire, transport = connection.protocol, connection.transport
            assert wire is not None
            assert transport is not None
            wire.set_response_params(skip_payload=request.method == "HEAD", **RESPONSE_PARAMETERS)
            if len(body) > COPIED_BYTES:
                transport.write(head)
                transport.write(body)
            else:
                transport.write(head + body)
            wire.start_timeout()
            message, content = await wire.read()
            while 100 <= message.code < 200:  # interim answers (RFC 9110, section 15.2)
                message, content = await wire.read()
        except HttpProcessingError as error:
            connection.close()
            raise httpx.RemoteProtocolError("malformed answer") from error
        except BaseException:
            connection.close()
            raise
        return httpx.Response(message.code, headers=message.raw_headers, stream=Body(connection, content))

    async def aclose(self) -> None:
        await self.connector.close()


def head_of(request: httpx.Request) -> bytes:
    """The request line and the headers, as they are (RFC 9112, section 3). Raises httpx.LocalProtocolError."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") + head.count(b"\r") != 2 * (len(lines) - 1):
        raise httpx.LocalProtocolError("a header has a line break in it")
    return head + b"\r\n\r\n"


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
