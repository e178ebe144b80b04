"""Vectors of texts. Texts that share words have near vectors, as texts that share a meaning have in an embedding model.

Feature hashing (Weinberger et al., 2009): every word, and every run of three letters in it, adds to a few places of the
vector. Its hash chooses the places. The runs bring `cities` near `city`. Words that most texts have count little.
"""

import functools
import hashlib
import math
import re
import struct
from collections.abc import Iterable, Iterator

SIZES = {"text-embedding-3-large": 3_072}  # model: its dimensions, where they are not SIZE
SIZE = 1_536  # dimensions of text-embedding-3-small and text-embedding-ada-002
PLACES = 4  # places of the vector to which one word adds
LEAST = 1e-6  # a shorter vector counts as zero
WORD = re.compile(r"\w+")
_LISTED = (
    "a about an and are as at be been but by can could did do does for from had has have how i in is it its me my not "
    "of on or our she that the their them then there they this to was we were what when where which who why will with "
    "would you your"
)
COMMON = frozenset(_LISTED.split())
COMMON_WEIGHT, RUN_WEIGHT, PAIR_WEIGHT = 0.1, 0.3, 0.2  # of a word's 1

Feature = tuple[str, float]


def size_of(model: str) -> int:
    """The dimensions of a model's vectors. `model` may be a deployment whose name contains the model's."""
    return next((size for name, size in SIZES.items() if name in model), SIZE)


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector of 32-bit floats, mostly zeros, that depends on the text alone. Case and punctuation do not count.
    Each text without a word, the empty one too, has a vector of its own."""
    raw = [0.0] * dimensions
    for name, weight in _features(text.casefold()):
        for place, sign in _places(name):
            raw[place % dimensions] += sign * weight
    length = math.hypot(*raw)
    if length < LEAST:  # no words, or they cancel each other out
        return vector(f"nothing{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}", dimensions)
    return _singles(value / length for value in raw)


def _features(text: str) -> Iterator[Feature]:
    last = ""
    for word in WORD.findall(text):
        yield f"{last} {word}", PAIR_WEIGHT  # texts with the same words in another order differ
        last = word
        if word in COMMON:
            yield word, COMMON_WEIGHT
            continue
        yield word, 1
        edged = "" if word.isdigit() else f"<{word}>"
        for at in range(len(edged) - 2):
            yield edged[at : at + 3], RUN_WEIGHT


@functools.lru_cache(maxsize=20_000)
def _places(name: str) -> tuple[tuple[int, int], ...]:
    """The places to which a feature adds, and the sign for each. They serve vectors of any size."""
    digest = hashlib.blake2b(name.encode(), digest_size=4 * PLACES).digest()
    return tuple((number >> 1, 1 if number & 1 else -1) for number in struct.unpack(f"<{PLACES}I", digest))


def _singles(values: Iterable[float]) -> list[float]:
    """The values rounded to 32-bit floats, with as many digits as Azure prints."""
    given = list(values)
    held = struct.unpack(f"<{len(given)}f", struct.pack(f"<{len(given)}f", *given))
    return [float(f"{value:.8g}") if value else 0.0 for value in held]
