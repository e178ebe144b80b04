"""The connection to Azure OpenAI: one HTTP client for the whole process."""

import functools
import gc
import logging
import os
from typing import Any

import httpx

from .outbound import proxy_for

READ_SECONDS = 225.0  # between two bytes; Azure's load balancer silently cuts a connection after 230 s without a byte
STREAM_SILENCE_SECONDS = 1_800.0  # of a stream that comments keep alive; Microsoft advises 29 minutes for reasoning

FAILURES = (httpx.HTTPError, OSError)  # of a connection; TimeoutError is an OSError

logging.getLogger("httpx").setLevel(logging.WARNING)  # httpx logs whole URLs, and a query may be private

parsed = functools.lru_cache(64)(httpx.URL)  # a process calls few URLs


def request(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> httpx.Request:
    """The request that httpx makes with `content=body`, at a third of the cost."""
    target = parsed(url)
    own = [(b"host", target.netloc)]
    if body or method == "POST":
        own.append((b"content-length", b"%d" % len(body)))
    return httpx.Request(method, target, headers=own + headers, stream=httpx.ByteStream(body))


def is_timeout(failure: BaseException) -> bool:
    return isinstance(failure, TimeoutError | httpx.TimeoutException)


class Client(httpx.AsyncClient):
    """An httpx client that sends a request once and unchanged. httpx's authentication, redirects, cookies and hooks,
    which a proxy must not have, cost as much as the transport does."""

    def __init__(self) -> None:
        from .transport import Transport

        self.transport = Transport(READ_SECONDS, functools.partial(proxy_for, os.environ))
        super().__init__(transport=self.transport, trust_env=False)

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        answer = await self.transport.handle_async_request(request)
        if not stream:
            await answer.aread()
        return answer


@functools.cache
def client() -> httpx.AsyncClient:
    """The process's one client, made inside the running event loop."""
    gc.freeze()  # all modules are loaded: each collection of them would stop every stream for 60 ms
    gc.set_threshold(20_000, 50, 100)
    return Client()
