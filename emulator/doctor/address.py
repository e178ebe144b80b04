"""The base URL: its shape, and whether a server listens there."""

import ipaddress
import socket
import time
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from .check import Check
from .refusal import Problem

PATH, SIGNED_PATH = "/api/v1", "/api/keys/v1"
CONNECT_SECONDS = 10.0
BY_PROXY = "not checked: calls go through the proxy that the environment names"
CONNECTION = "no connection to the proxy"


class Address:
    """The methods are checks. Each needs the ones before it. `path` is the end of the URL."""

    def __init__(self, base_url: str, path: str = PATH) -> None:
        self.base_url, self.path = base_url.rstrip("/"), path
        self.url = urlsplit(self.base_url)
        self.tls = httpx.create_ssl_context()  # the certificates that the OpenAI SDK trusts

    def address(self) -> Check:
        """The shape of the base URL."""
        try:
            plain = bool(self.url.hostname) and not self.url.query and self.url.port != 0
        except ValueError:
            plain = False
        if not plain or self.url.scheme not in ("http", "https"):
            raise Problem(f"{self.base_url!r} is no base URL", "a base URL")
        if self.url.path != self.path:
            raise Problem(f"its path is {self.url.path or '/'!r}, not {self.path!r}", "a base URL")
        if self.url.scheme == "http" and not is_loopback(str(self.url.hostname)):
            raise Problem("it is http: everybody on the way could read the key", "a base URL")
        return Check("address", "ok", self.base_url)

    @property
    def port(self) -> int:
        return self.url.port or (443 if self.url.scheme == "https" else 80)

    @property
    def detour(self) -> bool:
        """Whether calls go through a proxy of the environment. Only that proxy may be able to reach the name."""
        return bool(getproxies().keys() & {self.url.scheme, "all"}) and not proxy_bypass(str(self.url.hostname))

    def dns(self) -> Check:
        if self.detour:
            return Check("dns", "note", BY_PROXY)
        try:
            found = socket.getaddrinfo(self.url.hostname, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Problem(f"{self.url.hostname}: {error}", "the name is not known") from error
        return Check("dns", "ok", ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found)))

    def connection(self) -> Check:
        """TCP, and TLS where the URL is https."""
        if self.detour:
            return Check("connection", "note", BY_PROXY)
        host, started = str(self.url.hostname), time.monotonic()
        try:
            with socket.create_connection((host, self.port), CONNECT_SECONDS) as sock:
                if self.url.scheme == "http":
                    return Check("connection", "ok", f"{took(started)}, without TLS")
                with self.tls.wrap_socket(sock, server_hostname=host) as secured:
                    return Check("connection", "ok", f"{took(started)}, {secured.version()}")
        except OSError as error:
            raise Problem(f"port {self.port}: {error}", CONNECTION) from error


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def took(started: float) -> str:
    return f"{1000 * (time.monotonic() - started):.0f} ms"
