"""Why no answer came from Azure: what the caller hears of it, and in one word what the record says."""

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
STAYS = f"Try again in a moment; if it stays, {CHECK}"


class Cause(NamedTuple):
    """`retry`: whether trying again can help."""

    retry: bool
    message: str


CAUSES = {
    "refused": Cause(True, f"Where Azure OpenAI should be, connections are refused. {STAYS}, and the network."),
    "dns": Cause(False, f"The host name of Azure OpenAI is not known: {CHECK}, and the DNS of a private endpoint."),
    "dns_unanswered": Cause(True, f"No name server told the address of Azure OpenAI. {STAYS}, and the DNS."),
    "certificate": Cause(
        False,
        f"The certificate of Azure OpenAI is not trusted: {CHECK}, and what stands between the function and Azure; "
        "SSL_CERT_FILE names certificates of a company's own.",
    ),
    "tls": Cause(False, f"What answers in Azure OpenAI's place does not speak TLS as it should: {CHECK}."),
    "connect_timeout": Cause(
        True, f"No connection to Azure OpenAI came about in time. {STAYS}, firewalls and private endpoints."
    ),
    "no_route": Cause(True, f"No network leads to Azure OpenAI. {STAYS}, and the function's network."),
    "closed": Cause(True, f"The connection to Azure OpenAI was closed before its answer had come. {STAYS}."),
    "malformed": Cause(False, f"What answers in Azure OpenAI's place does not speak HTTP as it should: {CHECK}."),
    "head_too_long": Cause(
        False,
        f"Azure OpenAI answered with more than {HEAD_BYTES:,} bytes of headers, which the Functions host cannot pass "
        "on. The administrator must find what adds them.",
    ),
    "proxy_unreachable": Cause(
        True, "The network's proxy cannot be reached. Try again; if it stays, the administrator must check HTTPS_PROXY."
    ),
    "proxy_refused": Cause(
        False, "The network's proxy does not let calls to Azure OpenAI through: the administrator must ask who runs it."
    ),
    "other": Cause(True, f"The proxy cannot reach Azure OpenAI. {STAYS}."),
}

KINDS: tuple[tuple[type[BaseException], str], ...] = (  # of an error or of what caused it; the first that fits
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
    """What a caller is told when `error`, one of upstream.FAILURES, came in the place of an answer."""
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
    """A proxy refuses a tunnel with a status; that of a gateway (5xx) may pass."""
    status = getattr(error.__cause__, "status", None)
    return "proxy_refused" if isinstance(status, int) and status < 500 else "proxy_unreachable"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__


def told(error: BaseException) -> str:
    """The error's name and text, in one short line."""
    return " ".join(f"{type(error.__cause__ or error).__name__}: {error}".split())[:LONGEST]
