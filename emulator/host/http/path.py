"""The path of a request: as Kestrel reads it, and as YARP, the Functions host's forwarder, writes it anew.

Facts, measured on the host, and in the sources of Kestrel (`UrlDecoder`, `PathNormalizer`) and of YARP:
- Escapes are decoded once. `%2F` stays as it came, and so does every escape that is not part of sound UTF-8.
- Dot segments go after that, so `%2e%2e` is one, and before routing.
- The way to the worker escapes what is left: `%2F` arrives there as `%252F`.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote_to_bytes

WRITTEN_AS_IT_IS = "/!$&'()*+,;=:@"
"""Besides letters, digits and `-._~` (RFC 3986, section 3.3)."""

_ESCAPES = re.compile("((?:%(?!2[fF])[0-9a-fA-F]{2})+)")


def request_path(raw_path: str) -> str | None:
    """The path that routes are asked for, of a request target's bytes before its `?`, read as Latin-1.

    None is the server's 400: a byte that is not ASCII, or a null, escaped or not. A target that is no path (`*`) has an
    empty one.
    """
    if not raw_path.isascii() or "\0" in raw_path:
        return None
    if not raw_path.startswith("/"):
        return ""
    if "%" in raw_path:
        raw_path = _ESCAPES.sub(_decoded, raw_path)
        if "\0" in raw_path:
            return None
    return _without_dots(raw_path) if "/." in raw_path else raw_path


def forwarded_path(path: str) -> bytes:
    """What the worker sees of a path from `request_path`."""
    return quote(path, WRITTEN_AS_IT_IS).encode()


def _decoded(escapes: re.Match[str]) -> str:
    data = unquote_to_bytes(escapes[0])
    try:
        return data.decode()
    except UnicodeDecodeError:
        written = iter(escapes[0].split("%")[1:])
        return "".join(_kept(character, written) for character in data.decode(errors="surrogateescape"))


def _kept(character: str, written: Iterator[str]) -> str:
    """The character, or, for a byte that is no UTF-8, its escape as it was written."""
    own = [next(written) for _ in character.encode(errors="surrogateescape")]
    return f"%{own[0]}" if "\udc80" <= character <= "\udcff" else character


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4. A `..` takes an empty segment along like any other."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
