"""All recordings, and which of them have been played.

Identical requests are a sequence: the first answers the first call, the second the next, and the last one every
further call. A take that is given back (its caller left, a fault hit it) is played again.
"""

import functools
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import cassette
from .canonical import Key, key_of, parse_body
from .cassette import CassetteError, Interaction
from .nearest import Candidate, Leaves, leaves_of
from .route import Route, parse

PLAYED = "EMULATOR_PLAYED"  # names the file that collects the labels of what was played, for `check --played`


@dataclass(frozen=True)
class Take:
    """One playing of a recording: finish it with `Library.played` or `Library.give_back`."""

    key: Key
    position: int
    interaction: Interaction


@dataclass
class _Sequence:
    leaves: Leaves
    recordings: list[tuple[Route, Interaction]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    played: set[int] = field(default_factory=set)


class Library:
    """The recordings of any number of cassettes. Safe to use from several threads."""

    def __init__(self, interactions: Iterable[Interaction] = (), problems: Iterable[str] = ()) -> None:
        self.problems = list(problems)
        self._lock = threading.Lock()
        self._sequences: dict[Key, _Sequence] = {}
        for interaction in interactions:
            self.add(interaction)

    @classmethod
    def from_folders(cls, folders: Iterable[Path]) -> "Library":
        """Every cassette below the folders; what cannot be read is listed in `problems`, the rest still plays."""
        library = cls()
        for path, name in cassette.find(folders):
            try:
                for interaction in cassette.load(path, name).interactions:
                    library.add(interaction)
            except CassetteError as error:
                library.problems.append(str(error))
        return library

    def add(self, interaction: Interaction) -> None:
        request = interaction.request
        route = parse(request.uri)
        if route is None:
            self.problems.append(f"{interaction.label}: {request.uri} is no Azure OpenAI address")
            return
        parsed = parse_body(request.body)
        key = key_of(request.method, route, parsed)
        if key not in self._sequences:
            self._sequences[key] = _Sequence(leaves_of(parsed))
        self._sequences[key].recordings.append((route, interaction))

    def __contains__(self, key: Key) -> bool:
        return key in self._sequences

    def take(self, key: Key, generation: str) -> Take | None:
        """The next recording for this request, made on the same generation of the API where there is one."""
        with self._lock:
            sequence = self._sequences.get(key)
            if sequence is None:
                return None
            positions = range(len(sequence.recordings))
            same = [at for at in positions if sequence.recordings[at][0].generation == generation] or list(positions)
            position = next((at for at in same if at not in sequence.taken), same[-1])
            sequence.taken.add(position)
            return Take(key, position, sequence.recordings[position][1])

    def played(self, take: Take) -> None:
        with self._lock:
            self._sequences[take.key].played.add(take.position)
        if file := os.environ.get(PLAYED):
            _collect(file, take.interaction.label)

    def give_back(self, take: Take) -> None:
        with self._lock:
            sequence = self._sequences[take.key]
            if take.position not in sequence.played:
                sequence.taken.discard(take.position)

    def rewind(self) -> None:
        """Play every sequence from its start again."""
        with self._lock:
            for sequence in self._sequences.values():
                sequence.taken.clear()
                sequence.played.clear()

    def interactions(self) -> list[Interaction]:
        return [interaction for sequence in self._sequences.values() for _, interaction in sequence.recordings]

    def candidates(self, key: Key) -> Iterator[Candidate]:
        """The recordings of the same method and operation, the first of each sequence: for explaining a miss."""
        for other, sequence in self._sequences.items():
            if other.operation == key.operation and other.method == key.method:
                yield Candidate(other, sequence.leaves, sequence.recordings[0][1])

    def operations(self) -> list[str]:
        """What has recordings, such as `POST chat/completions`."""
        return list(dict.fromkeys(f"{key.method} {key.operation}" for key in self._sequences))

    def deployments(self) -> list[str]:
        """The deployments that have recordings, the one with the most first."""
        counts: dict[str, int] = {}
        for key, sequence in self._sequences.items():
            if key.deployment:
                counts[key.deployment] = counts.get(key.deployment, 0) + len(sequence.recordings)
        return sorted(counts, key=lambda name: (-counts[name], name))


@functools.cache  # once per process
def _collect(file: str, label: str) -> None:
    with open(file, "ab", buffering=0) as played:  # appended in one write: other processes do the same
        played.write(f"{label}\n".encode())
