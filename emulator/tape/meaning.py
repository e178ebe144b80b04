"""The meaning of a recorded request, worked out once: its key, and the leaves that it may share with others."""

from typing import NamedTuple

from .canonical import Key, key_of, parse_body
from .leaf import Digests, digests_of
from .route import parse


class Meaning(NamedTuple):
    generation: str  # of the API
    key: Key
    leaves: Digests


def meaning_of(method: str, uri: str, body: bytes) -> Meaning | None:
    """None when the address is not one of Azure OpenAI's."""
    route = parse(uri)
    if route is None:
        return None
    parsed = parse_body(body)
    return Meaning(route.generation, key_of(method, route, parsed), digests_of(parsed))
