"""Two requests are the same when method, operation, query and deployment agree, and their bodies are equal as JSON, or
as forms.

Bodies are compared as JSON because clients order keys as they like: two releases of the OpenAI SDK send the same call
with different bytes. A dated API names the deployment in the path, and v1 in the body's `model`. Recordings of one
generation answer requests of the other. `"stream": false` equals no `stream`. Nothing else is ignored. 1, 1.0, true and
"1" are four values, as in Azure, which refuses 1.0 for a whole number. A form is compared by its parts (form.py). Bytes
are compared of a body that JSON leaves open to interpretation (RFC 8259: a key twice, NaN, not UTF-8).
"""

import functools
import hashlib
import json
from typing import Any, NamedTuple

from .form import DASHES, fields_of, is_form
from .route import Route

MAX_DEPTH = 100  # a deeper body is compared by its bytes; Azure refuses more than 64
LONGEST_SHARED = 65_536  # bytes of a body


class Key(NamedTuple):
    """Two requests are the same when their keys are equal. `body` is a digest of the canonical JSON."""

    method: str
    operation: str
    query: tuple[tuple[str, str], ...]
    deployment: str | None
    body: bytes


def parse_body(body: bytes) -> Any:
    """The JSON in a body, what stands for a form (form.py), or the bytes of a body that is neither."""
    if body.startswith(DASHES):
        return fields_of(body) or body
    try:
        parsed = parse_json(body)
    except ValueError:
        return body
    return body if is_form(parsed) else parsed


def parse_shared(body: bytes) -> Any:
    """As `parse_body`, for the several that answer one request: whoever asks next for these bytes gets the same object.
    Nobody may change it."""
    return (_last if len(body) <= LONGEST_SHARED else parse_body)(body)


_last = functools.lru_cache(1)(parse_body)


def parse_json(body: bytes) -> Any:
    """Raises ValueError when the body is not JSON, or JSON that is open to interpretation."""
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
    """The compared part of a parsed body: without the members that the key holds elsewhere, and without defaults."""
    if type(parsed) is not dict:
        return parsed
    elsewhere = {"model"} if isinstance(parsed.get("model"), str) else set()
    if parsed.get("stream") is False or (parsed.get("stream") == "false" and is_form(parsed)):
        elsewhere.add("stream")
    return {name: value for name, value in parsed.items() if name not in elsewhere} if elsewhere else parsed


def canonical_json(value: Any) -> str:
    """A text for a value. Equal values have the same text, and different values different texts."""
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
    """Raises ValueError far below the depth at which json fails, because that depth depends on the caller's stack."""
    level = [parsed]
    for _ in range(MAX_DEPTH + 1):
        inner = (v.values() if type(v) is dict else v for v in level if type(v) is dict or type(v) is list)
        level = [value for values in inner for value in values]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


_decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
