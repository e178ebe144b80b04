"""Vectors of texts. Texts that share words have near vectors, as texts that share a meaning have in an embedding model.

Feature hashing (Weinberger et al., 2009): every word, and every run of three letters in it, adds to a few places of the
vector. Its hash chooses the places. The runs bring `cities` near `city`. Words that most texts have count little.
"""

import functools
import hashlib
import itertools
import math
import re
import struct
from collections.abc import Iterator

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

Additions = tuple[tuple[int, float], ...]


def size_of(model: str) -> int:
    """The dimensions of a model's vectors. `model` may be a deployment whose name contains the model's."""
    return next((size for name, size in SIZES.items() if name in model), SIZE)


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector of 32-bit floats, mostly zeros, that depends on the text alone. Case and punctuation do not count.
    Each text without a word, the empty one too, has a vector of its own."""
    whole = [0.0] * dimensions
    for place, value in places(text, dimensions).items():
        whole[place] = value
    return whole


def places(text: str, dimensions: int) -> dict[int, float]:
    """The places of the vector that are not 0, in order, and their values."""
    raw = dict[int, float]()
    for additions in _features(text.casefold()):
        for place, value in additions:
            at = place % dimensions
            raw[at] = raw.get(at, 0.0) + value
    there = sorted(raw)
    length = math.hypot(*(raw[place] for place in there))
    if length < LEAST:  # no words, or they cancel each other out
        return places(f"nothing{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}", dimensions)
    held = _singles([raw[place] / length for place in there])
    return {place: value for place, value in zip(there, held, strict=True) if value}


def _features(text: str) -> Iterator[Additions]:
    last = ""
    for word in WORD.findall(text):
        yield _additions(f"{last} {word}", PAIR_WEIGHT)  # texts with the same words in another order differ
        last = word
        yield _of_word(word)


@functools.lru_cache(maxsize=4_096)
def _of_word(word: str) -> Additions:
    if word in COMMON:
        return _additions(word, COMMON_WEIGHT)
    edged = "" if word.isdigit() else f"<{word}>"
    runs = (_additions(edged[at : at + 3], RUN_WEIGHT) for at in range(len(edged) - 2))
    return (*_additions(word, 1), *itertools.chain.from_iterable(runs))


@functools.lru_cache(maxsize=20_000)
def _additions(name: str, weight: float) -> Additions:
    """Where in a vector of any size a feature adds how much."""
    digest = hashlib.blake2b(name.encode(), digest_size=4 * PLACES).digest()
    return tuple((number >> 1, weight if number & 1 else -weight) for number in struct.unpack(f"<{PLACES}I", digest))


def _singles(values: list[float]) -> list[float]:
    """The values rounded to 32-bit floats, with as many digits as Azure prints."""
    held = struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values))
    told = {value: float(f"{value:.8g}") if value else 0.0 for value in {*held}}  # a vector has few different values
    return [told[value] for value in held]
