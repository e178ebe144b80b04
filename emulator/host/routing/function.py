"""One HTTP-triggered function as the app declares it, and one call of it."""

from collections.abc import Mapping
from dataclasses import dataclass


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


@dataclass(frozen=True)
class Invocation:
    """One call: a fresh GUID, the function, and the decoded values of the route's parameters."""

    id: str
    function: HttpFunction
    route_parameters: Mapping[str, str]
