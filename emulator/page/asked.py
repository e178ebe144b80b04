"""A request to the control API: what its routes need of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ..azure.asgi import ClientLeft, Receive, Scope
from ..tape.canonical import parse_json
from .refusal import Refusal, invalid_control, invalid_query

MOST_BODY_BYTES = 64 * 2**10
MOST_FIELDS = 20  # of a query
JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """`parts` of the path and `query` map names to texts. `body` is a JSON object, {} where the method has no body.
    `known` lists the ETags that the caller has."""

    parts: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    known: str = ""

    def number(self, name: str, otherwise: int, most: int, least: int = 0) -> int:
        """The query's whole number `name`, or `otherwise` where the query has none. Raises Refusal."""
        text = self.query.get(name)
        if text is None:
            return otherwise
        if not (text.isascii() and text.isdigit() and len(text) <= 15 and least <= int(text) <= most):
            raise invalid_query(f"{name} takes a whole number from {least:,} to {most:,}.", name)
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...], otherwise: str) -> str:
        """The query's word `name`, one of `choices`, or `otherwise` where the query has none. Raises Refusal."""
        word = self.query.get(name, otherwise)
        if word not in choices:
            raise invalid_query(f"{name} takes one of {', '.join(choices)}.", name)
        return word


def query_of(scope: Scope, names: tuple[str, ...]) -> dict[str, str]:
    """The query by name. Raises Refusal for a name that the route does not know, and for a name that stands twice."""
    try:
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise invalid_query(f"A query may have at most {MOST_FIELDS} fields.", "") from error
    query = dict(pairs)
    for name in query:
        if name not in names:
            raise invalid_query(f"This route's query takes {', '.join(names) or 'nothing'}.", name)
    if len(query) < len(pairs):
        raise invalid_query("A query may name each field once.", "")
    return query


def header_of(scope: Scope, name: str) -> str:
    """The first of this name; empty where there is none."""
    said = dict(reversed(scope["headers"]))
    return str(said.get(name.encode(), b"").decode("latin-1"))


async def json_of(scope: Scope, receive: Receive) -> dict[str, Any]:
    """The JSON object in the body of a request that changes something. Raises Refusal and ClientLeft.

    A web form cannot send `content-type: application/json`. A script of another site may send it only after a preflight
    (WHATWG Fetch, section 3.3.5), which the emulator does not allow."""
    kind = header_of(scope, "content-type").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refusal(415, "unsupported_media_type", f"Send JSON, with `content-type: {JSON}`.", "content-type")
    if header_of(scope, "content-encoding") not in ("", "identity"):
        raise Refusal(415, "unsupported_media_type", "Send JSON that is not compressed.", "content-encoding")
    try:
        asked = parse_json(await _body(receive))
    except ValueError as error:
        raise invalid_control(f"The body is not JSON: {error}.") from error
    if not isinstance(asked, dict):
        raise invalid_control("The body must be a JSON object, such as {}.")
    return asked


async def _body(receive: Receive) -> bytes:
    chunks, size, is_more = list[bytes](), 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MOST_BODY_BYTES:
            raise Refusal(413, "too_large", f"A body may have at most {MOST_BODY_BYTES:,} bytes.")
        is_more = message.get("more_body", False)
    return b"".join(chunks)
