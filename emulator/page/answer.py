"""An answer of the control API: JSON, text to copy, or bytes to keep; never anything that a browser would run."""

import json
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]

GUARDED: Headers = (  # OWASP HTTP Headers Cheat Sheet, REST Security Cheat Sheet
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
)


@dataclass(frozen=True)
class Answer:
    """`headers` leave out GUARDED and the length: the answer gets them when it is sent."""

    body: bytes
    headers: Headers
    status: int = 200

    def all_headers(self) -> Headers:
        return (*self.headers, *GUARDED)


def answer_of(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """An Answer as it is; any other value as JSON, in ASCII, which half a surrogate pair survives."""
    if isinstance(value, Answer):
        return value
    return Answer(json.dumps(value).encode(), (("content-type", "application/json"), *headers), status)


def text(shown: str) -> Answer:
    return Answer(shown.encode(errors="backslashreplace"), (("content-type", "text/plain; charset=utf-8"),))


def attachment(content: bytes, name: str) -> Answer:
    """Bytes that a browser saves and does not show, as they may be HTML. The emulator chooses `name`."""
    disposition = ("content-disposition", f'attachment; filename="{name}"')
    return Answer(content, (("content-type", "application/octet-stream"), disposition))
