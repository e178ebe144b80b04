"""What makes two requests the same: method, operation, deployment and the JSON they mean, whatever its bytes.

Clients order keys as they like (two releases of the OpenAI SDK send the same call with different bytes), so bodies are
compared as JSON. The deployment is the path's on a dated API and the body's `model` on v1; recordings of one generation
answer requests of the other. `"stream": false` means the same as no `stream`; nothing else is ignored.
"""

import hashlib
import json
from typing import Any, NamedTuple

from .route import Route


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
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def canonical_body(parsed: Any) -> Any:
    """The part of a parsed body that is compared: without what the key holds elsewhere and what says nothing."""
    if not isinstance(parsed, dict):
        return parsed
    return {
        name: value for name, value in parsed.items() if name != "model" and not (name == "stream" and value is False)
    }


def deployment_of(route: Route, parsed: Any) -> str | None:
    named = parsed.get("model") if isinstance(parsed, dict) else None
    return route.deployment or (named if isinstance(named, str) else None)


def key_of(method: str, route: Route, parsed: Any) -> Key:
    compared = canonical_body(parsed)
    text = compared if isinstance(compared, bytes) else json.dumps(compared, sort_keys=True).encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return Key(method, route.operation, tuple(sorted(route.query)), deployment_of(route, parsed), digest)
