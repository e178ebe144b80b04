"""Which recordings come nearest to a request, among thousands, without comparing it with each of them in full.

First by how many leaves of their JSON (the texts, numbers and the rest, with their names) they share. Where that leaves
many, as it does when each has another prompt, by how many of the new text's rarest words they hold; then by how much
their bytes have in common from the start and from the end.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .canonical import Key
from .interaction import Interaction

SHORTLIST = 5  # are worth comparing in full
WORDS, RARE, SAMPLE = 64, 4, 50  # of a new text that are looked at; of these, looked for; how rare is told by a sample
ALIKE = 1_000  # are compared from the start and the end
MAX_SEARCHED = 8 * 2**20  # bytes of recordings in which words are looked for: some milliseconds
MAX_LEAVES = 256  # per request: enough to tell requests apart, few enough for vectors of numbers

Leaves = tuple[int, ...]


class Candidate(NamedTuple):
    """A recording of the same method and operation as a request."""

    key: Key
    leaves: Leaves
    interaction: Interaction


def leaves_of(parsed: Any) -> Leaves:
    """A hash of each leaf, for comparing within this process."""
    return tuple(map(hash, itertools.islice(_leaves(parsed), MAX_LEAVES)))


def shortlist(key: Key, body: bytes, parsed: Any, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The SHORTLIST nearest, in no order."""
    sent, distances = set(leaves_of(parsed)), dict[int, list[Candidate]]()
    for candidate in candidates:
        recorded, leaves = candidate.key, candidate.leaves
        distance = len(leaves) + len(sent) - 2 * len(sent.intersection(leaves))
        distance += (recorded.deployment != key.deployment) + (recorded.query != key.query)
        distances.setdefault(distance, []).append(candidate)
    chosen: list[Candidate] = []
    for distance in sorted(distances):
        if wanted := SHORTLIST - len(chosen):
            chosen += _most_alike(distances[distance], wanted, body, parsed)
    return chosen


def _most_alike(tied: list[Candidate], wanted: int, body: bytes, parsed: Any) -> list[Candidate]:
    if len(tied) <= wanted:
        return tied
    bodies = [candidate.interaction.request.body for candidate in tied]
    bodies = bodies[: sum(size <= MAX_SEARCHED for size in itertools.accumulate(map(len, bodies)))]
    sample = bodies[:: len(bodies) // SAMPLE + 1]
    rare = sorted(_new_words(parsed, tied[0].leaves), key=lambda word: sum(word in one for one in sample))[:RARE]
    held = [sum(map(recorded.__contains__, rare)) for recorded in bodies]
    most = max(held, default=0)
    near = [number for number, count in enumerate(held) if count == most][:ALIKE]
    return [tied[number] for number in sorted(near, key=lambda number: -in_common(bodies[number], body))[:wanted]]


def _new_words(parsed: Any, leaves: Leaves) -> list[bytes]:
    """Words of the first text that a recording has not, as they are in a body: from its start and its end."""
    known = set(leaves)
    for leaf in _leaves(parsed):
        if type(leaf[1]) is str and hash(leaf) not in known:
            words = leaf[1].split()
            words = words[: WORDS // 2] + words[WORDS // 2 :][-WORDS // 2 :]
            return [
                json.dumps(word, ensure_ascii=False)[1:-1].encode(errors="replace") for word in dict.fromkeys(words)
            ]
    return []


def _leaves(parsed: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of all that has nothing inside; what is in a list has the list's name."""
    rest = [("", parsed)]
    while rest:
        name, value = rest.pop()
        if type(value) is dict:
            rest += value.items()
        elif type(value) is list:
            rest += [(name, inner) for inner in value]
        else:
            yield name, value


def in_common(one: Any, other: Any) -> int:
    """How many characters, or bytes, are the same from the start, and how many more from the end."""
    start = common_prefix(one, other)
    return start + common_suffix(one[start:], other[start:])


def common_prefix(one: Any, other: Any) -> int:
    """Its length, of two sequences, by halving: slices are compared at the speed of memory."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_suffix(one: Any, other: Any) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
