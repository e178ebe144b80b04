"""Finds one request in two files. Their answers take turns, so the test of one file may get the other's answer."""

from collections.abc import Iterator

from ..tape.canonical import Key
from .context import Context
from .finding import Finding, error
from .recording import Recording
from .tapes import Tapes


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    first = dict[tuple[str, Key], Recording]()
    told = set[tuple[str, Key, str]]()
    for recording in tapes.recordings:
        if (key := recording.key) is None:
            continue
        generation = recording.route.generation
        earlier = first.setdefault((generation, key), recording)
        if earlier.file != recording.file and (generation, key, recording.file) not in told:
            told.add((generation, key, recording.file))
            yield error("duplicate", recording.place(), f"the same request as {earlier.place()}; they take turns")
