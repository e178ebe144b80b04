"""Which recordings come nearest to a request, among thousands, without comparing it with each of them in full.

First by how many leaves of their JSON (the texts, numbers and the rest, with their names) they share. Where that leaves
many, as it does when each has another prompt, by how many of the new text's rarest words they hold; then by how much
their bytes have in common from the start and from the end.
"""

import itertools
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..tape.canonical import Key
from ..tape.interaction import Interaction
from ..tape.leaf import Digests, digest_of, digests_of, leaves
from ..tape.meaning import Meaning
from .slack import NONE, Slack

SHORTLIST = 5  # are worth comparing in full
WORDS, RARE, SAMPLE = 64, 4, 50  # of a new text that are looked at; of these, looked for; how rare is told by a sample
ALIKE = 300  # are compared from the start and the end
MAX_SEARCHED = 8 * 2**20  # bytes of recordings in which words are looked for: some milliseconds


class Candidate(NamedTuple):
    """A recording, and what may vary in a request for it."""

    meaning: Meaning
    interaction: Interaction
    slack: Slack = NONE


def shortlist(key: Key, body: bytes, parsed: Any, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The SHORTLIST nearest, in no order."""
    sent, distances = set(digests_of(parsed)), dict[int, list[Candidate]]()
    for candidate in candidates:
        _, recorded, known = candidate.meaning
        distance = len(known) + len(sent) - 2 * len(sent.intersection(known))
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
    held_by = {word: sum(word in one for one in sample) for word in _new_words(parsed, tied[0].meaning.leaves)}
    rare = sorted((word for word, count in held_by.items() if count < len(sample)), key=lambda word: held_by[word])[
        :RARE
    ]
    held = [sum(map(recorded.__contains__, rare)) for recorded in bodies]
    most = max(held, default=0)
    near = [number for number, count in enumerate(held) if count == most][:ALIKE]
    return [tied[number] for number in sorted(near, key=lambda number: -in_common(bodies[number], body))[:wanted]]


def _new_words(parsed: Any, known: Digests) -> list[bytes]:
    """Words of the first text that a recording has not, as they are in a body: from its start and its end."""
    for leaf in leaves(parsed):
        if type(leaf[1]) is str and digest_of(leaf) not in known:
            words = leaf[1].split()
            words = [*dict.fromkeys(words[: WORDS // 2] + words[WORDS // 2 :][-WORDS // 2 :])]
            return [json.dumps(word, ensure_ascii=False)[1:-1].encode(errors="replace") for word in words]
    return []


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
