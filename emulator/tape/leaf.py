"""The leaves of a JSON value: texts, numbers, booleans and null, each with its name."""

import itertools
import zlib
from collections.abc import Iterator
from typing import Any

MAX_LEAVES = 256  # per request: enough to tell requests apart, few enough for vectors of numbers

Leaf = tuple[str, Any]
Digests = tuple[int, ...]


def leaves(parsed: Any) -> Iterator[Leaf]:
    """Yields (name, value). The items of a list have the list's name."""
    rest = [("", parsed)]
    while rest:
        name, value = rest.pop()
        if type(value) is dict:
            rest += value.items()
        elif type(value) is list:
            rest += [(name, inner) for inner in value]
        else:
            yield name, value


def digests_of(parsed: Any) -> Digests:
    """Digests of the last MAX_LEAVES leaves. They are the same in every process."""
    return tuple(map(digest_of, itertools.islice(leaves(parsed), MAX_LEAVES)))


def digest_of(leaf: Leaf) -> int:
    return zlib.crc32(f"{leaf[0]}\0{leaf[1]}".encode(errors="surrogatepass"))
