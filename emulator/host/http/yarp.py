"""YARP, the host's forwarder: what it changes in a request to the worker and in the answer.

Sources: YARP's RequestUtilities and HttpTransformer. Both directions were recorded: tests/host/recorded.
"""

import re
from itertools import chain

from .fields import AROUND_A_FIELD, Fields, Headers

INVOCATION_HEADER = b"x-ms-invocation-id"

DROPPED = frozenset(
    b"connection transfer-encoding keep-alive upgrade proxy-connection proxy-authenticate proxy-authentication-info "
    b"proxy-authorization proxy-features proxy-instruction security-scheme alpn close te alt-svc".split()
)
DROPPED_OF_A_REQUEST = DROPPED | frozenset(
    b"host http2-settings upgrade-insecure-requests forwarded x-forwarded-for x-forwarded-host x-forwarded-proto "
    b"x-forwarded-prefix".split()
)
MAX_RESPONSE_HEADER_BYTES = 65_536
"""The limit of .NET's HTTP client (MaxResponseHeadersLength). Measured: 60,000 bytes passed and 70,000 did not."""

UNRESERVED = re.compile(rb"%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
ESCAPED = re.compile(rb"%(?![0-9A-Fa-f]{2})|[^!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")


WORKERS_SERVER = (b"server", b"uvicorn")
IN_WORDS_OF_UVICORN = (WORKERS_SERVER, (b"content-type", b"text/plain; charset=utf-8"))
REFUSED_BY_UVICORN = b"Invalid HTTP request received."
METHODS_OF_LLHTTP = frozenset(
    [
        "DELETE",
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "OPTIONS",
        "TRACE",
        "COPY",
        "LOCK",
        "MKCOL",
        "MOVE",
        "PROPFIND",
        "PROPPATCH",
        "SEARCH",
        "UNLOCK",
        "BIND",
        "REBIND",
        "UNBIND",
        "ACL",
        "REPORT",
        "MKACTIVITY",
        "CHECKOUT",
        "MERGE",
        "M-SEARCH",
        "NOTIFY",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "PATCH",
        "PURGE",
        "MKCALENDAR",
        "LINK",
        "UNLINK",
    ]
)
WITHOUT_A_BODY = frozenset(["GET", "HEAD", "CONNECT", "OPTIONS", "DELETE"])
"""For other methods, .NET's client declares an empty body with a length of 0 (its source: MustHaveRequestBody)."""
ABOUT_A_BODY = frozenset(
    b"allow content-disposition content-encoding content-language content-location content-md5 content-range "
    b"content-type expires last-modified".split()
)
COMMON_METHODS = frozenset(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"])
CONTROL = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")
TEXT = bytes(code for code in range(256) if not CONTROL.match(bytes([code])))


class Unforwardable(Exception):
    """YARP does not pass this answer on, and the caller gets a 500. YARP sends a request without a body again. The
    caller then gets the worker's own 500, because the worker has no second answer."""

    def __init__(self, reason: str, sent_again: bool) -> None:
        super().__init__(reason)
        self.body = b"Internal Server Error" if sent_again else b""


def request_headers(
    method: str, fields: Fields, invocation_id: str, client: str, scheme: str, worker: bytes
) -> Headers:
    """The headers that the worker gets in place of the caller's. Fields of one name are joined. The host is the
    worker's own address."""
    kept: dict[bytes, bytes] = {b"host": worker}
    named = fields.first
    for name, value in fields.given:
        if name in DROPPED_OF_A_REQUEST:
            continue
        kept[name] = kept[name] + (b"; " if name == b"cookie" else b", ") + value if name in kept else value
    kept[INVOCATION_HEADER], kept[b"x-forwarded-for"] = invocation_id.encode(), client.encode()
    kept[b"x-forwarded-host"] = named.get(b"disguised-host", named.get(b"host", b""))
    kept[b"x-forwarded-proto"] = named.get(b"x-forwarded-proto", scheme.encode())
    if b"transfer-encoding" in named:
        kept[b"transfer-encoding"] = b"chunked"
    elif method not in WITHOUT_A_BODY or ABOUT_A_BODY & kept.keys():
        kept.setdefault(b"content-length", b"0")
    if is_websocket(fields):
        kept[b"connection"], kept[b"upgrade"] = b"Upgrade", b"websocket"
    if fields.repeat:  # one of the joined values may be empty
        return [(name, value.strip(b" ")) for name, value in kept.items()]
    return list(kept.items())


def response_headers(given: Headers) -> Headers:
    """The worker's headers that the caller gets. Raises Unforwardable."""
    text = b"".join(chain.from_iterable(given))
    if not text.isascii() and not all(value.isascii() for _, value in given):
        raise Unforwardable("a header of the answer is not ASCII", sent_again=False)
    if len(text) + AROUND_A_FIELD * len(given) > MAX_RESPONSE_HEADER_BYTES:
        raise Unforwardable("the headers of the answer are too long", sent_again=True)
    return [pair for pair in given if pair[0].lower() not in DROPPED]


def method_of(method: str) -> str:
    """The worker sees the common methods in capitals, whatever the caller wrote."""
    return upper if (upper := method.upper()) in COMMON_METHODS else method


def lost_on_the_way(method: str, fields: Fields) -> str | None:
    """The reason why a request cannot reach the worker, so that the call never gets an answer; None when it can."""
    if method == "CONNECT":
        return "its method is CONNECT"
    if fields.text.isascii() and INVOCATION_HEADER not in fields.first:
        return None
    for name, value in fields.given:
        if not value.isascii():
            return f"the header {name.decode()} is not ASCII"
        if name == INVOCATION_HEADER:
            return f"the caller sent {name.decode()}"
    return None


def refused_by_the_worker(method: str, fields: Fields) -> str | None:
    """The reason why the worker's server answers 400 without calling the function; None when it calls it."""
    if method not in METHODS_OF_LLHTTP:
        return f"its method is {method}"
    if not fields.text.translate(None, TEXT):  # three times as fast as a search
        return None
    name = next(name for name, value in fields.given if CONTROL.search(value))
    return f"a control character is in {name.decode()}"


def is_websocket(fields: Fields) -> bool:
    """The last of several fields counts."""
    last = fields.last
    if b"upgrade" not in last or b"connection" not in last:
        return False
    return last[b"upgrade"].lower() == b"websocket" and b"upgrade" in last[b"connection"].lower()


def forwarded_query(query: bytes) -> bytes:
    """A query as .NET's Uri writes it anew. It unescapes letters and digits, and escapes the characters that a query
    may not have."""
    if b"%" in query:
        query = UNRESERVED.sub(lambda found: bytes.fromhex(found[1].decode()), query)
    return ESCAPED.sub(lambda found: b"%%%02X" % found[0][0], query)
