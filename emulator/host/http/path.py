"""The path of a request: as Kestrel reads it, and as YARP, the Functions host's forwarder, writes it anew.

Facts, measured on the host, and in the sources of Kestrel (`UrlDecoder`, `PathNormalizer`) and of YARP:
- Kestrel decodes escapes once. It keeps `%2F`, and every escape that is not part of valid UTF-8.
- It then removes dot segments, before routing. `%2e%2e` is a dot segment, too.
- YARP escapes the path again on its way to the worker: `%2F` arrives there as `%252F`.
"""

import functools
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote_to_bytes

WRITTEN_AS_IT_IS = "/!$&'()*+,;=:@"
"""Besides letters, digits and `-._~` (RFC 3986, section 3.3)."""

_ESCAPES = re.compile("((?:%(?!2[fF])[0-9a-fA-F]{2})+)")


def request_path(raw_path: str) -> str | None:
    """The path that is routed. `raw_path` is the request target before its `?`, its bytes read as Latin-1.

    None means that the server answers 400: the target has a byte outside ASCII, or a null, escaped or not. The path is
    empty when the target is no path (`*`).
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


@functools.lru_cache(256)  # clients repeat a few paths
def forwarded_path(path: str) -> bytes:
    """The path that the worker gets for a path from `request_path`."""
    return quote(path, WRITTEN_AS_IT_IS).encode()


def _decoded(escapes: re.Match[str]) -> str:
    data = unquote_to_bytes(escapes[0])
    try:
        return data.decode()
    except UnicodeDecodeError:
        written = iter(escapes[0].split("%")[1:])
        return "".join(_kept(character, written) for character in data.decode(errors="surrogateescape"))


def _kept(character: str, written: Iterator[str]) -> str:
    """The character. For a byte that is not UTF-8, its escape as the client wrote it."""
    own = [next(written) for _ in character.encode(errors="surrogateescape")]
    return f"%{own[0]}" if "\udc80" <= character <= "\udcff" else character


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4. A `..` also removes an empty segment before it."""
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
