"""`python -m emulator.host` with the proxy on httpx's own transport: what the transport in proxy/upstream.py gains."""

import sys

import httpx

from emulator.host.command import main
from proxy import upstream

upstream.Transport = lambda: httpx.AsyncHTTPTransport(  # type: ignore[assignment,misc]
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=1_024), trust_env=False
)

if __name__ == "__main__":
    sys.exit(main())
