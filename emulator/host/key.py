"""The function keys: which ones a request may come with.

Facts, from the Functions host's source and from recordings of it: the header `x-functions-key` hides the query's
`code`, even when it is empty; of several, the first counts; the query's names are compared without regard to case; an
ADMIN function takes the master key only; an ANONYMOUS one asks for nothing.
"""

import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

MASTER = "_master"
HEADER = b"x-functions-key"


class Keys:
    """The accepted keys, name → value; the one named `_master` opens every function. An empty value opens none."""

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
    """The first `code`, empty or not; b"" without one."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return next((value for name, value in pairs if name.lower() == "code"), "").encode(errors="surrogateescape")
