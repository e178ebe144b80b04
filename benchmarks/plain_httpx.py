"""benchmarks.host with the proxy on httpx's own transport: what the transport in proxy/upstream.py gains."""

import sys

import httpx

from benchmarks.host import main
from proxy import upstream


class Transport(httpx.AsyncHTTPTransport):
    """With the two headers that aiohttp adds by itself."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=1_024)
        super().__init__(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        size = len(await request.aread())
        request.headers.update({"host": request.url.netloc.decode(), "content-length": str(size)})
        return await super().handle_async_request(request)


upstream.Transport = Transport  # type: ignore[assignment,misc]

if __name__ == "__main__":
    sys.exit(main())
