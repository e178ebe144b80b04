"""Secrets in cassettes: what the recorder would not have written, wherever in the file it is."""

from collections.abc import Iterator

from ..tape.scrub import leaks
from ..tape.search import Search
from .context import Context
from .finding import Finding, error
from .tapes import Tapes, shown


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    told = set[tuple[str, str]]()
    for recording in tapes.recordings:
        for leak in leaks(recording.interaction):
            told.add((recording.file, leak.what))
            yield error("secret", recording.place(path=leak.place), f"{leak.what} ({leak.reason})")
    for path in tapes.paths:  # notes, comments, what cannot be loaded
        file, text = shown(path), path.read_bytes().decode("latin-1")
        for hit in Search().hits(text):
            if (file, hit.rule.name) not in told:
                line = text.count("\n", 0, hit.start) + 1
                yield error("secret", f"{file}:{line}", f"{hit.rule.name} ({hit.rule.reason})")
