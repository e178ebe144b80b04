"""Recordings that no test plays."""

from collections.abc import Iterator

from .context import Context
from .finding import Finding, error, info
from .tapes import Tapes

HOW = "whether tests play every recording is not known: `pytest --emulator-played=FILE`, then `check --played FILE`"


def check(tapes: Tapes, context: Context) -> Iterator[Finding]:
    if context.played is None:
        yield info("unplayed", "", HOW)
        return
    for recording in tapes.recordings:
        if recording.interaction.label not in context.played:
            yield error("unplayed", recording.place(), "no test plays it")
