"""How the function reaches Azure OpenAI: one HTTP client for the whole process."""

import asyncio
import functools
import logging
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp import AiohttpTransport
from yarl import URL

CONNECT_SECONDS = 10.0  # TCP and TLS; Azure answers in milliseconds or not at all
POOL_SECONDS = 15.0  # a free connection, connecting included (aiohttp counts both)
READ_SECONDS = 225.0  # between two bytes; Azure's load balancer cuts a silent connection at 230 s without a word
KEEPALIVE_SECONDS = 4.0  # below common servers' idle limits (5 s and up): no POST may meet a connection being closed
MAX_CONNECTIONS = 4_096  # far above what one instance serves; the host's own concurrency limit comes first

FAILURES = (httpx.HTTPError, aiohttp.ClientError, OSError)  # of a connection; TimeoutError is an OSError

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and a query may be private


def is_timeout(failure: BaseException) -> bool:
    """By the cause: httpx-aiohttp calls every lost connection a ConnectTimeout."""
    return isinstance(failure.__cause__ or failure, TimeoutError)


class Wire(ResponseHandler):
    """aiohttp's connection, telling who reads a body that its chunks are malformed: aiohttp itself (3.14, with its C
    parser) tells nobody, and the reader waits for ever."""

    def set_exception(self, *error: Any) -> None:
        if self._payload and not self._payload.is_eof() and not self._payload.exception():
            self._payload.set_exception(aiohttp.ClientPayloadError("malformed answer"))
        super().set_exception(*error)


class Transport(AiohttpTransport):
    """httpx over aiohttp that sends URLs exactly as they are: aiohttp alone would decode %2F and %7E in a query."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS, ssl=self.ssl_context
        )
        connector._factory = functools.partial(Wire, asyncio.get_running_loop())  # type: ignore[assignment]
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # one caller's cookie must never reach another
            skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
        )

    def get_client(self) -> Any:
        return self

    def request(self, url: str, **options: Any) -> Any:
        return self.session.request(url=URL(url, encoded=True), **options)

    async def aclose(self) -> None:
        await self.session.close()


@functools.cache
def client() -> httpx.AsyncClient:
    """The one client of this process, made inside the running event loop."""
    return httpx.AsyncClient(
        transport=Transport(),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=POOL_SECONDS),
        trust_env=False,
    )
