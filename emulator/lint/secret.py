"""Finds secrets anywhere in a cassette: everything that the recorder would not have written."""

from collections.abc import Iterator

from ..scrub.scrub import leaks
from ..scrub.search import Search
from ..scrub.secret import Rule
from .context import Context
from .finding import Finding, error
from .tapes import Tapes, shown

LINE_END = "\n"


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    told = set[tuple[str, str]]()
    for recording in tapes.recordings:
        for leak in leaks(recording.interaction):
            told.add((recording.file, leak.rule.name))
            yield error("secret", recording.place(path=leak.place), leak.what + _advice(leak.rule))
    for path in tapes.paths:  # also notes, comments and files that cannot be loaded
        file, text = shown(path), path.read_bytes().decode("latin-1")
        for hit in Search().hits(text):
            if (file, hit.rule.name) not in told:
                place = f"{file}:{text[: hit.start].count(LINE_END) + 1}"
                yield error("secret", place, f"{hit.rule.name} ({hit.rule.reason})" + _advice(hit.rule))


def _advice(rule: Rule) -> str:
    return f"; write {rule.instead.format(n=1)}" if rule.instead else "; take it out, or record again without it"
