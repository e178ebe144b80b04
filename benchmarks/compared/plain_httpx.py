"""`python -m emulator.host` with the proxy on httpx's own transport: it shows the gain of proxy/transport.py."""

import sys

import httpx

from emulator.host.command import main
from proxy import transport


class Transport(httpx.AsyncHTTPTransport):
    def __init__(self, read_seconds: float, proxy_for: object) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=1_024)
        super().__init__(limits=limits, trust_env=False)


transport.Transport = Transport  # type: ignore[assignment,misc]

if __name__ == "__main__":
    sys.exit(main())
