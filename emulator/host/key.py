"""The function keys that open a function.

Facts, from the Functions host's source and from recordings of it. The header `x-functions-key` hides the query's
`code`, even when the header is empty. The first of several keys counts. Names in the query match in any case. An ADMIN
function takes the master key only. An ANONYMOUS function needs no key.
"""

import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

MASTER = "_master"
HEADER = b"x-functions-key"


class Keys:
    """The accepted keys, name → value. The key named `_master` opens every function. An empty value opens none."""

    def __init__(self, values: Mapping[str, str]) -> None:
        everyone = [value.encode() for value in values.values() if value]
        master = [values[MASTER].encode()] if values.get(MASTER) else []
        self._accepted = {"FUNCTION": everyone, "ADMIN": master}

    def admit(self, auth_level: str, headers: Iterable[tuple[bytes, bytes]], query: bytes) -> bool:
        """Whether a request with these headers (names in lower case) and this raw query may call the function."""
        if auth_level == "ANONYMOUS":
            return True
        given = next((value for name, value in headers if name == HEADER), None)
        if given is None:
            given = code_of(query)
        return any(hmac.compare_digest(given, accepted) for accepted in self._accepted[auth_level])


def code_of(query: bytes) -> bytes:
    """The value of the first `code` in the query, which may be empty; b"" when there is none."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return next((value for name, value in pairs if name.lower() == "code"), "").encode(errors="surrogateescape")
