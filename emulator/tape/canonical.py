"""What makes two requests the same: method, operation, query, deployment and the JSON they mean, whatever its bytes.

Clients order keys as they like (two releases of the OpenAI SDK send the same call with different bytes), so bodies are
compared as JSON. The deployment is the path's on a dated API and the body's `model` on v1; recordings of one generation
answer requests of the other. `"stream": false` means the same as no `stream`; nothing else is ignored. 1, 1.0, true and
"1" are four values, as they are to Azure, which takes no 1.0 for a whole number. A body that JSON leaves open to
interpretation (RFC 8259: a key twice, NaN, other encodings than UTF-8) is compared by its bytes.
"""

import hashlib
import json
from typing import Any, NamedTuple

from .route import Route

MAX_DEPTH = 100  # what is nested deeper is compared by its bytes; Azure refuses more than 64


class Key(NamedTuple):
    """Equal keys, same request. `body` is a digest of the canonical JSON."""

    method: str
    operation: str
    query: tuple[tuple[str, str], ...]
    deployment: str | None
    body: bytes


def parse_body(body: bytes) -> Any:
    """The JSON a body means, or its bytes when it is none."""
    try:
        return parse_json(body)
    except ValueError:
        return body


def parse_json(body: bytes) -> Any:
    """Raises ValueError where the body is no JSON, or not clearly one."""
    try:
        parsed = _decode(body.decode())
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _require_flat(parsed)
    return parsed


def canonical_body(parsed: Any) -> Any:
    """The part of a parsed body that is compared: without what the key holds elsewhere and what says nothing."""
    if type(parsed) is not dict:
        return parsed
    elsewhere = {"model"} if isinstance(parsed.get("model"), str) else set()
    if parsed.get("stream") is False:
        elsewhere.add("stream")
    return {name: value for name, value in parsed.items() if name not in elsewhere} if elsewhere else parsed


def canonical_json(value: Any) -> str:
    """The same text for the same value, and only for it."""
    return _encode(value)


def deployment_of(route: Route, parsed: Any) -> str | None:
    named = parsed.get("model") if isinstance(parsed, dict) else None
    return route.deployment or (named if isinstance(named, str) else None)


def key_of(method: str, route: Route, parsed: Any) -> Key:
    compared = canonical_body(parsed)
    text = compared if type(compared) is bytes else _encode(compared).encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return Key(method, route.operation, tuple(sorted(route.query)), deployment_of(route, parsed), digest)


_TOO_DEEP = f"it is nested more than {MAX_DEPTH} deep"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("it has a key twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _require_flat(parsed: Any) -> None:
    """Far below the depth at which json gives up, which depends on the stack of the caller."""
    level = [parsed]
    for _ in range(MAX_DEPTH + 1):
        inner = (v.values() if type(v) is dict else v for v in level if type(v) is dict or type(v) is list)
        level = [value for values in inner for value in values]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


_decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
