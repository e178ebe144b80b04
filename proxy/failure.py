"""Why no answer came from Azure: a message for the caller, and one word for the record."""

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from .errors import ProxyError
from .head import HEAD_BYTES, HeadTooLong
from .upstream import is_timeout

LONGEST = 300  # characters of an error in the record
CHECK = "the administrator must check AZURE_OPENAI_BASE"
STAYS = f"Try again in a moment. If the error stays, {CHECK}"


class Cause(NamedTuple):
    """`retry`: whether a retry can help."""

    retry: bool
    message: str


CAUSES = {
    "refused": Cause(True, f"The address of Azure OpenAI refuses connections. {STAYS}, and the network."),
    "dns": Cause(False, f"No DNS knows the host name of Azure OpenAI: {CHECK}, and the DNS of a private endpoint."),
    "dns_unanswered": Cause(True, f"No name server answered for Azure OpenAI. {STAYS}, and the DNS."),
    "certificate": Cause(
        False,
        f"The function does not trust the certificate of Azure OpenAI: {CHECK}, and gateways between the function and "
        "Azure. SSL_CERT_FILE names a company's own certificates.",
    ),
    "tls": Cause(False, f"The server at the address of Azure OpenAI does not speak proper TLS: {CHECK}."),
    "connect_timeout": Cause(
        True, f"The connection to Azure OpenAI took too long. {STAYS}, firewalls and private endpoints."
    ),
    "no_route": Cause(True, f"No network leads to Azure OpenAI. {STAYS}, and the function's network."),
    "closed": Cause(True, f"The connection to Azure OpenAI closed before the answer came. {STAYS}."),
    "malformed": Cause(False, f"The server at the address of Azure OpenAI does not speak proper HTTP: {CHECK}."),
    "head_too_long": Cause(
        False,
        f"Azure OpenAI answered with more than {HEAD_BYTES:,} bytes of headers, which the Functions host cannot pass "
        "on. The administrator must find what adds them.",
    ),
    "proxy_unreachable": Cause(
        True,
        "The function cannot reach the network's proxy. Try again in a moment. If the error stays, the administrator "
        "must check HTTPS_PROXY.",
    ),
    "proxy_refused": Cause(
        False,
        "The network's proxy refuses calls to Azure OpenAI: the administrator must ask the people who run that proxy.",
    ),
    "other": Cause(True, f"The proxy cannot reach Azure OpenAI. {STAYS}."),
}

KINDS: tuple[tuple[type[BaseException], str], ...] = (  # of an error or of its causes; the first that fits
    (HeadTooLong, "head_too_long"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
    (httpx.ConnectTimeout, "connect_timeout"),
    (httpx.RemoteProtocolError, "malformed"),
    (httpx.ReadError, "closed"),
    (ConnectionError, "closed"),
)
NUMBERS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "closed",
    errno.EPIPE: "closed",
    errno.ENETUNREACH: "no_route",
    errno.EHOSTUNREACH: "no_route",
    errno.EADDRNOTAVAIL: "no_route",
    errno.ETIMEDOUT: "connect_timeout",
}
UNANSWERED = (socket.EAI_AGAIN, getattr(socket, "EAI_FAIL", None))


def failure_of(error: BaseException) -> ProxyError:
    """The caller's error for `error`, one of upstream.FAILURES, which came in the place of an answer."""
    cause = cause_of(error)
    if cause == "other" and is_timeout(error):
        return ProxyError("upstream_timeout", cause="silent")
    return unreachable(cause, told(error))


def unreachable(cause: str, detail: str) -> ProxyError:
    retry, message = CAUSES[cause]
    return ProxyError("upstream_unreachable", message, retry=retry, cause=cause, detail=detail)


def cause_of(error: BaseException) -> str:
    """One of CAUSES."""
    if isinstance(error, httpx.ProxyError):
        return proxy_cause(error)
    chain = list(causes(error))
    for kind, cause in KINDS:
        if found := next((one for one in chain if isinstance(one, kind)), None):
            answered = not isinstance(found, socket.gaierror) or found.errno not in UNANSWERED
            return cause if answered else "dns_unanswered"
    numbers = (NUMBERS.get(getattr(one, "errno", None) or 0) for one in chain)
    return next((cause for cause in numbers if cause), "other")


def proxy_cause(error: httpx.ProxyError) -> str:
    """A proxy refuses a tunnel with a status. A gateway's status (5xx) may be gone at the next try."""
    status = getattr(error.__cause__, "status", None)
    return "proxy_refused" if isinstance(status, int) and status < 500 else "proxy_unreachable"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__


def told(error: BaseException) -> str:
    """The error's name and text, in one short line."""
    return " ".join(f"{type(error.__cause__ or error).__name__}: {error}".split())[:LONGEST]
