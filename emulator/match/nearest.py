"""The recordings that are nearest to a request, among thousands, found without comparing each in full.

The search first counts the leaves of JSON that a recording shares with the request. When too many recordings tie, as
they do when each has another prompt, it counts how many of the new text's rarest words each holds. Then it counts the
bytes that each has in common with the request, from the start and from the end.
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

SHORTLIST = 5  # recordings that are compared in full
WORDS, RARE, SAMPLE = 64, 4, 50  # words of a new text; the rarest, which are searched; recordings to judge by
ALIKE = 300  # recordings that are compared from the start and the end
MAX_SEARCHED = 8 * 2**20  # bytes of recordings in which words are looked for: some milliseconds


class Candidate(NamedTuple):
    """A recording, and what may vary in a request for it."""

    meaning: Meaning
    interaction: Interaction
    slack: Slack = NONE


def shortlist(key: Key, body: bytes, parsed: Any, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The SHORTLIST nearest recordings, in no order."""
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
    """Words of the first text that is not `known`, as they stand in a body, from the text's start and its end."""
    for leaf in leaves(parsed):
        if type(leaf[1]) is str and digest_of(leaf) not in known:
            words = leaf[1].split()
            words = [*dict.fromkeys(words[: WORDS // 2] + words[WORDS // 2 :][-WORDS // 2 :])]
            return [json.dumps(word, ensure_ascii=False)[1:-1].encode(errors="replace") for word in words]
    return []


def in_common(one: Any, other: Any) -> int:
    """The number of equal characters or bytes from the start, plus those from the end."""
    start = common_prefix(one, other)
    return start + common_suffix(one[start:], other[start:])


def common_prefix(one: Any, other: Any) -> int:
    """The length of the common prefix. It compares halves, because slices are compared at the speed of memory."""
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
