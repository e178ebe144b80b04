"""One HTTP-triggered function as the app declares it, and one call of it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class HttpFunction:
    """`route` is the template below the prefix. `methods` None means every method, as in the Functions host. An empty
    set means no method.

    `auth_level` is ANONYMOUS, FUNCTION or ADMIN. A worker knows the function by its `id`.
    `request_parameter` is the name of the handler's parameter that takes the request.
    """

    name: str
    id: str
    route: str
    methods: frozenset[str] | None
    auth_level: str
    request_parameter: str


class Invocation(NamedTuple):
    """One call: a fresh GUID, the function, and the decoded values of the route's parameters."""

    id: str
    function: HttpFunction
    route_parameters: Mapping[str, str]


def fresh_id() -> str:
    """A GUID of version 4, at a quarter of uuid4's cost. Nobody gains by guessing one: no caller may send it."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
