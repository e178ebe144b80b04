"""httpx over aiohttp's connections, which do not slow down as concurrency rises.

This file leaves out aiohttp's session: its cookies, redirects and merged headers, which a proxy must not have, cost
more than its connections do. aiohttp does not document all names used here, so requirements.txt pins the version.
"""

import asyncio
import base64
import functools
import os
from collections.abc import AsyncIterator, Callable
from itertools import chain
from typing import Any, NamedTuple

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.helpers import set_exception
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from yarl import URL

from .head import HEAD_BYTES, HeadTooLong
from .outbound import certificates

CONNECT_SECONDS = 10.0  # TCP and TLS; Azure answers in milliseconds or not at all
POOL_SECONDS = 15.0  # for a free connection, connecting included (aiohttp counts both)
KEEPALIVE_SECONDS = 4.0  # below common servers' idle limits (5 s and up): no POST may meet a closing connection
MAX_CONNECTIONS = 4_096  # far above one instance's load; the host's own concurrency limit comes first
COPIED_BYTES = 65_536  # one write sends the head and a body up to this size
MAX_FIELDS = HEAD_BYTES // len(b"a:\r\n")  # more header fields than these exceed HEAD_BYTES, however short

CONNECTING = aiohttp.ClientTimeout(connect=POOL_SECONDS, sock_connect=CONNECT_SECONDS)


class Silence(Exception):
    """No byte came for the given time; the answer goes on."""


class Wire(ResponseHandler):
    """aiohttp's connection, with its C parser and three changes."""

    tells_silence = False

    def _on_read_timeout(self) -> None:
        """aiohttp starts this clock again with every byte. Here it may report silence, and the answer goes on."""
        if not self.tells_silence:
            super()._on_read_timeout()
            return
        if self._payload is not None and (waiter := self._payload._waiter):
            set_exception(waiter, Silence())
        self._reschedule_timeout()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resumes only after a pause: aiohttp itself would resume, and parse, after each chunk that is read."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def set_exception(self, *error: Any) -> None:
        """Tells a body's reader that its chunks are malformed. aiohttp does not, and the reader would wait for ever."""
        if self._payload and not self._payload.is_eof() and not self._payload.exception():
            self._payload.set_exception(aiohttp.ClientPayloadError("malformed answer"))
        super().set_exception(*error)


class Body(httpx.AsyncByteStream):
    """An answer's body, in the pieces that have arrived. The end of the body frees its connection."""

    beat = longest = 0.0

    def __init__(self, connection: Connection, content: aiohttp.StreamReader) -> None:
        self.connection, self.content = connection, content
        content.on_eof(connection.release)

    def tell_silence(self, beat: float, longest: float) -> None:
        """From now on the body yields b"" for each `beat` seconds without a byte; after `longest` seconds it fails."""
        wire = self.connection.protocol
        if wire is not None and not self.arrived:
            self.beat, self.longest = beat, longest
            wire.read_timeout, wire.tells_silence = beat, True  # type: ignore[attr-defined]
            wire.start_timeout()

    @property
    def arrived(self) -> bool:
        """Whether the whole body is here, so that reading it waits for nothing."""
        return self.content.is_eof()

    def whole(self) -> bytes:
        """The body that has `arrived`. Raises as reading it does."""
        try:
            return self.content.read_nowait()
        except aiohttp.ClientError as error:
            raise as_httpx(error) from error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        silent = 0.0
        while True:
            try:
                piece = await self.content.readany()
            except Silence:
                silent += self.beat
                if silent >= self.longest:
                    raise httpx.ReadTimeout(f"silent for {silent:.0f} s") from None
                yield b""
            except aiohttp.ClientError as error:
                raise as_httpx(error) from error
            else:
                if not piece:
                    return
                silent = 0.0
                yield piece

    async def aclose(self) -> None:
        self.connection.close()  # does nothing after a release


class Way(NamedTuple):
    """The way to an origin. Through a proxy, plain HTTP asks for a whole URL (RFC 9112, section 3.2.2)."""

    address: aiohttp.ClientRequest  # tells the connector where to connect; nothing else of it is used
    origin: bytes
    headers: tuple[bytes, ...]


class Transport(httpx.AsyncBaseTransport):
    """Sends requests and returns answers unchanged. `read_seconds` is the longest silence of an answer; `proxy_for`
    gives the proxy's URL for scheme, host and port, or None."""

    def __init__(
        self, read_seconds: float, proxy_for: Callable[[str, str, int | None], str | None] = lambda *_: None
    ) -> None:
        self.loop, self.proxy_for = asyncio.get_running_loop(), proxy_for
        self.connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            ssl=certificates(os.environ) or httpx.create_ssl_context(trust_env=False),
        )
        self.connector._factory = functools.partial(Wire, self.loop)  # type: ignore[assignment]
        self.way = functools.lru_cache(64)(self.way_to)
        self.reading: dict[str, Any] = {
            "read_until_eof": True,
            "auto_decompress": False,
            "read_timeout": read_seconds,
            "max_line_size": HEAD_BYTES,
            "max_field_size": HEAD_BYTES,
            "max_headers": MAX_FIELDS,
        }

    def way_to(self, scheme: str, host: str, port: int | None) -> Way:
        url, proxy = URL.build(scheme=scheme, host=host, port=port), self.proxy_for(scheme, host, port)
        if not proxy:
            return Way(aiohttp.ClientRequest("GET", url, loop=self.loop), b"", ())
        through = URL(proxy)
        login = f"{through.user or ''}:{through.password or ''}"
        user = f"Basic {base64.b64encode(login.encode()).decode()}" if login != ":" else ""
        for_proxy = {"proxy-authorization": user} if user else None
        address = aiohttp.ClientRequest(
            "GET", url, loop=self.loop, proxy=through.with_user(None), proxy_headers=for_proxy
        )
        if scheme == "https":
            return Way(address, b"", ())  # the connector opens a tunnel
        return Way(address, str(url.origin()).encode(), (f"proxy-authorization: {user}".encode(),) * bool(user))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """An answer up to the end of its headers. Raises httpx.TransportError or OSError, as does reading its body."""
        way = self.way(request.url.scheme, request.url.host, request.url.port)
        sent = way, head_of(request, way), request.read()  # a body that is here: a third of what `aread` costs
        try:
            try:
                return await self.exchange(request, *sent)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as lost:
                if request.method != "GET" or isinstance(lost, aiohttp.ClientConnectorError):
                    raise
                return await self.exchange(request, *sent)
        except aiohttp.ClientError as error:
            raise as_httpx(error) from error

    async def exchange(self, request: httpx.Request, way: Way, head: bytes, body: bytes) -> httpx.Response:
        try:
            connection = await self.connector.connect(way.address, [], CONNECTING)
        except aiohttp.ServerTimeoutError as slow:
            raise httpx.ConnectTimeout(f"name not resolved, or no connection free, in {POOL_SECONDS:g} s") from slow
        except TimeoutError as slow:
            raise httpx.ConnectTimeout(f"name resolved, but no TCP or TLS in {CONNECT_SECONDS:g} s") from slow
        try:
            wire, transport = connection.protocol, connection.transport
            assert isinstance(wire, Wire)
            assert transport is not None
            if len(body) > COPIED_BYTES:
                transport.write(head)
                transport.write(body)
            else:
                transport.write(head + body)
            wire.tells_silence = False  # from here on, Azure works at the same time
            wire.set_response_params(skip_payload=request.method == "HEAD", **self.reading)
            wire.start_timeout()
            message, content = await wire.read()
            while 100 <= message.code < 200:  # interim answers (RFC 9110, section 15.2)
                message, content = await wire.read()
            if sum(map(len, chain.from_iterable(message.raw_headers))) + 4 * len(message.raw_headers) > HEAD_BYTES:
                raise HeadTooLong("all headers together")
        except HttpProcessingError as error:
            connection.close()
            raise as_protocol_error(error) from error
        except BaseException:
            connection.close()
            raise
        return httpx.Response(message.code, headers=message.raw_headers, stream=Body(connection, content))

    async def aclose(self) -> None:
        await self.connector.close()


def head_of(request: httpx.Request, way: Way) -> bytes:
    """The request line and the unchanged headers (RFC 9112, section 3). Raises httpx.LocalProtocolError."""
    lines = [b"%s %s%s HTTP/1.1" % (request.method.encode(), way.origin, request.url.raw_path), *way.headers]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") + head.count(b"\r") != 2 * (len(lines) - 1):
        raise httpx.LocalProtocolError("a header has a line break in it")
    return head + b"\r\n\r\n"


def as_protocol_error(error: HttpProcessingError) -> httpx.RemoteProtocolError:
    """An error that repeats none of the bytes read: they may be part of an answer."""
    reason = error.__cause__ or error
    too_long = isinstance(reason, LineTooLong) or "Too many headers" in str(reason)
    return (HeadTooLong if too_long else httpx.RemoteProtocolError)(type(reason).__name__)


KINDS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (  # the first that fits
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ClientProxyConnectionError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientError, httpx.ReadError),
)


def as_httpx(error: aiohttp.ClientError) -> httpx.TransportError:
    return next(kind for theirs, kind in KINDS if isinstance(error, theirs))(str(error))
