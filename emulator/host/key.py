"""The function keys that open a function.

Facts, from the Functions host's source and from recordings of it. The header `x-functions-key` hides the query's
`code`, even when the header is empty. The first of several keys counts. Names in the query match in any case. An ADMIN
function takes the master key only. An ANONYMOUS function needs no key.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

MASTER = "_master"
ANY = "_any"
HEADER = b"x-functions-key"
SHOWN = (HEADER, b"authorization", b"api-key", b"x-api-key")  # where clients of OpenAI and Azure put theirs


class Keys:
    """The accepted keys, name → value; the one named `_master` opens every function. An empty value opens none. With
    one named `_any`, which no host of Azure has, whoever shows a key in a header calls every FUNCTION one."""

    def __init__(self, values: Mapping[str, str]) -> None:
        everyone = [value.encode() for value in values.values() if value]
        master = [values[MASTER].encode()] if values.get(MASTER) else []
        self._any = ANY in values
        self._accepted = {"FUNCTION": everyone, "ADMIN": master}

    def admit(self, auth_level: str, headers: Mapping[bytes, bytes], query: bytes) -> bool:
        """Whether a request may call the function. `headers` has the first value of each name, in lower case; `query`
        is as it came."""
        if auth_level == "ANONYMOUS":
            return True
        if self._any and auth_level == "FUNCTION" and any(headers.get(name) for name in SHOWN):
            return True  # no page of another site can send such a header, as it could send a `code`
        given = headers.get(HEADER)
        if given is None:
            given = code_of(query)
        return any(hmac.compare_digest(given, accepted) for accepted in self._accepted[auth_level])


def code_of(query: bytes) -> bytes:
    """The value of the first `code` in the query, which may be empty; b"" when there is none."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return next((value for name, value in pairs if name.lower() == "code"), "").encode(errors="surrogateescape")
