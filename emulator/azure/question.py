"""The meaning of a request, worked out from its bytes and cached: in tests and under load, most requests are equal.

It depends neither on the recordings nor on the caller.
"""

import functools
from dataclasses import dataclass

from ..tape.canonical import Key, deployment_of, key_of, parse_shared
from ..tape.route import Route, parse
from .rules import refusal

REMEMBERED = 256
LONGEST_REMEMBERED = 65_536  # bytes of a body


@dataclass(frozen=True, slots=True)
class Question:
    """`route` and `key` are None when the address is not one of Azure OpenAI's. `refused` names the error that Azure
    gives to every caller. Equal bodies are one object."""

    body: bytes
    route: Route | None
    deployment: str | None
    key: Key | None
    refused: str | None


def question_of(method: str, target: str, body: bytes) -> Question:
    return (_remembered if len(body) <= LONGEST_REMEMBERED else _read)(method, target, body)


def _read(method: str, target: str, body: bytes) -> Question:
    route = parse(target)
    if route is None:
        return Question(body, None, None, None, refusal(None))
    parsed = parse_shared(body)
    return Question(body, route, deployment_of(route, parsed), key_of(method, route, parsed), refusal(route))


_remembered = functools.lru_cache(REMEMBERED)(_read)
