"""All recordings, and which of them have been played.

Identical requests are a sequence: the first answers the first call, the second the next, and the last one every
further call. A take that is given back (its caller left, a fault hit it) is played again. Requests are identical, too,
where they differ in nothing but what may vary (slack.py).
"""

import functools
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..tape import cassette
from ..tape.canonical import Key, parse_body, parse_shared
from ..tape.cassette import CassetteError, Interaction
from . import declared
from .nearest import Candidate
from .slack import NONE, Slack

ANY = "any"  # generation of the API
PLAYED = "EMULATOR_PLAYED"  # names the file that collects the labels of what was played, for `check --played`


@dataclass(frozen=True, eq=False, slots=True)
class Take:
    """A recording and its position in a sequence. End each use with `Library.played` or `Library.give_back`."""

    sequence: "_Sequence"
    position: int
    interaction: Interaction


@dataclass(eq=False, slots=True)
class _Sequence:
    """`positions` has those of each generation of the API, in order. All positions before `started` are taken."""

    takes: list[Take] = field(default_factory=list)
    positions: dict[str, list[int]] = field(default_factory=dict)
    started: dict[str, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    played: set[int] = field(default_factory=set)
    slack: Slack = NONE

    def add(self, interaction: Interaction, generation: str) -> None:
        for name in (generation, ANY):
            self.positions.setdefault(name, []).append(len(self.takes))
        self.takes.append(Take(self, len(self.takes), interaction))

    def take(self, generation: str) -> Take:
        name = generation if generation in self.positions else ANY
        positions, at = self.positions[name], self.started.get(name, 0)
        last = len(positions) - 1
        while at < last and positions[at] in self.taken:
            at += 1
        self.started[name] = at
        self.taken.add(positions[at])
        return self.takes[positions[at]]

    def give_back(self, position: int) -> None:
        if position not in self.played:
            self.taken.discard(position)
            self.started.clear()

    def rewind(self) -> None:
        self.started.clear()
        self.taken.clear()
        self.played.clear()


class Library:
    """The recordings of any number of cassettes. Safe to use from several threads."""

    def __init__(self, interactions: Iterable[Interaction] = (), problems: Iterable[str] = ()) -> None:
        self.problems = list(problems)
        self.unreadable: list[str] = []
        self._lock = threading.Lock()
        self._sequences: dict[Key, _Sequence] = {}
        self._slacks: list[Slack] = []
        for interaction in interactions:
            self.add(interaction)

    @classmethod
    def from_folders(cls, folders: Iterable[Path], slack: Slack = NONE) -> "Library":
        """Every cassette below the folders; `slack` is the project's, and each cassette may add its own. `problems`
        lists what is not played: files that cannot be read, which are `unreadable`, too, and requests to other services
        than Azure OpenAI."""
        library = cls()
        for path, name in cassette.find(folders):
            try:
                tape = cassette.load(path, name)
                rules = slack + declared.of_cassette(tape)
                for interaction in tape.interactions:
                    library.add(interaction, rules)
            except CassetteError as error:
                library.problems.append(str(error))
                library.unreadable.append(str(error))
        return library

    def add(self, interaction: Interaction, slack: Slack = NONE) -> None:
        """`slack` is what may vary in a request for it."""
        meaning = interaction.request.meaning
        if meaning is None:
            self.problems.append(f"{interaction.label}: {interaction.request.uri} is no Azure OpenAI address")
            return
        relaxed = slack.key_of(meaning.key, parse_body(interaction.request.body)) if slack else None
        with self._lock:
            if relaxed and slack not in self._slacks:
                self._slacks.append(slack)
            sequence = self._sequences.setdefault(relaxed or meaning.key, _Sequence(slack=slack if relaxed else NONE))
            sequence.add(interaction, meaning.generation)

    def has(self, key: Key, body: bytes) -> bool:
        return self._find(key, body) is not None

    def take(self, key: Key, generation: str, body: bytes) -> Take | None:
        """The next recording for this request, made on the same generation of the API where there is one."""
        sequence = self._sequences.get(key)
        if sequence is None and (not self._slacks or (sequence := self._find(key, body)) is None):
            return None
        if len(sequence.takes) == 1 and sequence.taken:  # no lock needed
            return sequence.takes[0]
        with self._lock:
            return sequence.take(generation)

    def _find(self, key: Key, body: bytes) -> _Sequence | None:
        """The sequence of equal requests, else of those that are equal but for what may vary in them."""
        if found := self._sequences.get(key):
            return found
        parsed = parse_shared(body) if self._slacks else None
        for slack in self._slacks:
            if (relaxed := slack.key_of(key, parsed)) and (found := self._sequences.get(relaxed)):
                return found
        return None

    def played(self, take: Take) -> None:
        if take.position in take.sequence.played:
            return
        with self._lock:
            take.sequence.played.add(take.position)
        if file := os.environ.get(PLAYED):
            _collect(file, take.interaction.label)

    def give_back(self, take: Take) -> None:
        with self._lock:
            take.sequence.give_back(take.position)

    def rewind(self) -> None:
        """Play every sequence from its start again."""
        with self._lock:
            for sequence in self._sequences.values():
                sequence.rewind()

    def interactions(self) -> list[Interaction]:
        return [take.interaction for sequence in self._sequences.values() for take in sequence.takes]

    def candidates(self, key: Key) -> list[Candidate]:
        """The recordings of the same method and operation, the first of each sequence: for explaining a miss."""
        with self._lock:
            first = ((sequence.takes[0].interaction, sequence.slack) for sequence in self._sequences.values())
            known = (Candidate(i.request.meaning, i, slack) for i, slack in first if i.request.meaning)
            return [c for c in known if (c.meaning.key.method, c.meaning.key.operation) == (key.method, key.operation)]

    def operations(self) -> list[str]:
        """The operations that have recordings, such as `POST chat/completions`."""
        return list(dict.fromkeys(f"{key.method} {key.operation}" for key in self._sequences))

    def deployments(self) -> list[str]:
        """The deployments that have recordings, the one with the most first."""
        counts: dict[str, int] = {}
        for key, sequence in self._sequences.items():
            if key.deployment:
                counts[key.deployment] = counts.get(key.deployment, 0) + len(sequence.takes)
        return sorted(counts, key=lambda name: (-counts[name], name))


@functools.cache  # once per process
def _collect(file: str, label: str) -> None:
    with open(file, "ab", buffering=0) as played:  # appended in one write: other processes do the same
        played.write(f"{label}\n".encode())
