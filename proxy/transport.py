"""httpx over aiohttp's connections, which do not slow down as concurrency rises.

aiohttp's session is left out: its cookies, redirects and merging of headers, which a proxy must not have, cost more
than its connections do. What is used of them is not all documented, so requirements.txt names the version.
"""

import asyncio
import functools
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
KEEPALIVE_SECONDS = 4.0  # below common servers' idle limits (5 s and up): no POST may meet a connection being closed
MAX_CONNECTIONS = 4_096  # far above what one instance serves; the host's own concurrency limit comes first
COPIED_BYTES = 65_536  # a body up to this size leaves in one write with its head

CONNECTING = aiohttp.ClientTimeout(connect=POOL_SECONDS, sock_connect=CONNECT_SECONDS)


class Wire(ResponseHandler):
    """aiohttp's connection, with its C parser, but for two things."""

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

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while piece := await self.content.readany():
                yield piece
        except aiohttp.ClientError as error:
            raise as_httpx(error) from error

    async def aclose(self) -> None:
        self.connection.close()  # a no-op after its release


class Transport(httpx.AsyncBaseTransport):
    """Everything goes out and comes in as it is. `read_seconds` is the longest silence of an answer."""

    def __init__(self, read_seconds: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            ssl=httpx.create_ssl_context(trust_env=False),
        )
        self.connector._factory = functools.partial(Wire, self.loop)  # type: ignore[assignment]
        self.address = functools.lru_cache(64)(self.address_of)
        self.reading: dict[str, Any] = {
            "read_until_eof": True,
            "auto_decompress": False,
            "read_timeout": read_seconds,
        }

    def address_of(self, scheme: str, host: str, port: int | None) -> aiohttp.ClientRequest:
        """Where the connector connects to; it takes that from a request, of which nothing else is used."""
        return aiohttp.ClientRequest("GET", URL.build(scheme=scheme, host=host, port=port), loop=self.loop)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """An answer up to the end of its headers. Raises httpx.TransportError or OSError, and so does reading on."""
        sent = head_of(request), await request.aread()
        try:
            try:
                return await self.exchange(request, *sent)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as lost:
                if request.method != "GET" or isinstance(lost, aiohttp.ClientConnectorError):
                    raise
                return await self.exchange(request, *sent)
        except aiohttp.ClientError as error:
            raise as_httpx(error) from error

    async def exchange(self, request: httpx.Request, head: bytes, body: bytes) -> httpx.Response:
        url = request.url
        connection = await self.connector.connect(self.address(url.scheme, url.host, url.port), [], CONNECTING)
        try:
            wire, transport = connection.protocol, connection.transport
            assert wire is not None
            assert transport is not None
            wire.set_response_params(skip_payload=request.method == "HEAD", **self.reading)
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


def as_httpx(error: aiohttp.ClientError) -> httpx.TransportError:
    kind = httpx.TimeoutException if isinstance(error, TimeoutError) else httpx.NetworkError
    return kind(str(error))
