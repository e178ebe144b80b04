"""What a recorded request means, worked out once: by which key it is found, and what it shares with others."""

from typing import NamedTuple

from .canonical import Key, key_of, parse_body
from .leaf import Digests, digests_of
from .route import parse


class Meaning(NamedTuple):
    generation: str  # of the API
    key: Key
    leaves: Digests


def meaning_of(method: str, uri: str, body: bytes) -> Meaning | None:
    """None when the address is none of Azure OpenAI's."""
    route = parse(uri)
    if route is None:
        return None
    parsed = parse_body(body)
    return Meaning(route.generation, key_of(method, route, parsed), digests_of(parsed))
