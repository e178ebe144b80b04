"""The body of a recorded message, in each of the forms that recorders write.

body: text, !!binary or null                    a request, as vcrpy writes it
body: {string: …} or {base64_string: …}         an answer
content: …                                      an answer, as vcrpy wrote it until version 5
parsed_body: …                                  JSON as YAML, as custom serializers write it for people to read
"""

import base64
import json
from typing import Any

from .field import REQUIRED, EntryError, Path, wrong

FORMS = "text, !!binary, null or {string: …}"


def body_of(message: dict[str, Any], at: Path, needed: bool) -> bytes:
    """The body of a message. Raises EntryError for a wrong one, and for a missing one that is `needed`."""
    name = next((name for name in ("body", "content", "parsed_body") if message.get(name) is not None), "body")
    value = message.get(name, REQUIRED if needed else None)
    return _json(value, (*at, name)) if name == "parsed_body" else _bytes(value, (*at, name))


def _bytes(value: Any, at: Path) -> bytes:
    if isinstance(value, dict):
        if isinstance(coded := value.get("base64_string"), str):
            return _from_base64(coded, (*at, "base64_string"))
        if value and "string" not in value:
            raise wrong(at, FORMS, value)
        value, at = value.get("string"), (*at, "string")
    if isinstance(value, str):
        return _encoded(value, at)
    if not isinstance(value, bytes | None):
        raise wrong(at, FORMS, value)
    return value or b""


def _encoded(text: str, at: Path) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EntryError(at, f"half of a surrogate pair is no text ({error.reason})") from error


def _from_base64(coded: str, at: Path) -> bytes:
    try:
        return base64.b64decode(coded)
    except ValueError as error:
        raise EntryError(at, f"it is not base64: {error}") from error


def _json(value: Any, at: Path) -> bytes:
    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:  # bytes, an endless number
        raise EntryError(at, "JSON was expected; it holds bytes, or a number that JSON does not have") from error
    return _encoded(written, at)
