"""The network's proxy for the function's own calls, and its certificates. The environment names the proxy: HTTPS_PROXY,
HTTP_PROXY, ALL_PROXY, NO_PROXY, and the same in lower case, which win, as in curl and Python's urllib.

Laptops in company networks have these variables; Azure sets none of them.
"""

import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

IDENTITY_ENDPOINT = "IDENTITY_ENDPOINT"  # Functions sets it to an address on the same machine
PORTS = {"http": 80, "https": 443}


def proxy_for(env: Mapping[str, str], scheme: str, host: str, port: int | None) -> str | None:
    """The proxy's URL for an origin; None for a direct connection."""
    port = port or PORTS[scheme]
    if is_identity(env, host, port) or is_exempt(setting(env, "no")[1], host, port):
        return None
    return named(env, scheme)[1] or None


def problems(env: Mapping[str, str], base: str) -> Iterator[str]:
    """A sentence for every variable that makes calls to `base` impossible. No sentence repeats a password."""
    with suppress(ValueError):  # Settings reports a base that is no URL
        origin = urlsplit(base)
        proxy = proxy_for(env, origin.scheme, origin.hostname or "", origin.port) if origin.scheme in PORTS else None
        if proxy and not is_proxy(proxy):
            yield f"{named(env, origin.scheme)[0]} must be like http://proxy.example.edu:3128"
    folders = env.get("SSL_CERT_DIR", "")
    if not all(os.path.isdir(folder) for folder in folders.split(os.pathsep) if folder):
        yield "SSL_CERT_DIR must name a folder of certificates"
    try:
        certificates(env)
    except OSError:  # an SSLError is an OSError
        yield "SSL_CERT_FILE must name a file of certificates in PEM"


def certificates(env: Mapping[str, str]) -> ssl.SSLContext | None:
    """Trusts the certificates of SSL_CERT_FILE and SSL_CERT_DIR; None where neither is set. Raises OSError."""
    file, folders = env.get("SSL_CERT_FILE"), env.get("SSL_CERT_DIR")
    return ssl.create_default_context(cafile=file or None, capath=folders or None) if file or folders else None


def named(env: Mapping[str, str], scheme: str) -> tuple[str, str]:
    """The variable for a scheme and the URL in it, "" for none. A URL without a scheme gets http://."""
    name, value = setting(env, scheme)
    name, value = (name, value) if name else setting(env, "all")
    return name, value if "://" in value or not value else f"http://{value}"


def setting(env: Mapping[str, str], kind: str) -> tuple[str, str]:
    """The variable that is set, and its value. `kind` is http, https, all or no."""
    lower = f"{kind}_proxy"
    name = next((name for name in (lower, lower.upper()) if name in env), "")
    return name, env[name].strip() if name else ""


def is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0 and not has_more(parts)
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def has_more(parts: SplitResult) -> bool:
    return parts.path not in ("", "/") or bool(parts.query or parts.fragment) or not parts.netloc.isprintable()


def is_exempt(listed: str, host: str, port: int) -> bool:
    """Whether NO_PROXY lists it: `*`, names and all below them, name:port, addresses, networks like 10.0.0.0/8."""
    return any(is_listed(entry.strip().lower(), host.lower(), port) for entry in listed.split(","))


def is_listed(entry: str, host: str, port: int) -> bool:
    if entry in ("*", host, f"[{host}]"):
        return True
    with suppress(ValueError):
        if "/" in entry:
            return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    name = entry.removesuffix(f":{port}").removeprefix("*").removeprefix(".")
    return bool(name) and f".{host}".endswith(f".{name}")


def is_identity(env: Mapping[str, str], host: str, port: int) -> bool:
    """Whether the origin is this machine's identity endpoint, which no proxy of the network reaches."""
    with suppress(ValueError):
        endpoint = urlsplit(env.get(IDENTITY_ENDPOINT, ""))
        if (endpoint.hostname, endpoint.port or PORTS.get(endpoint.scheme)) == (host, port):
            return host == "localhost" or is_of_this_machine(ipaddress.ip_address(host))
    return False


def is_of_this_machine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_loopback or address.is_link_local
