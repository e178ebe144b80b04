"""The same request in two files: they take turns, so that each file's test may get the other's answer."""

from collections.abc import Iterator

from ..tape.canonical import Key, key_of, parse_body
from .context import Context
from .finding import Finding, error
from .recording import Recording
from .tapes import Tapes


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    first = dict[tuple[str, Key], Recording]()
    reported = set[tuple[str, str]]()
    for recording in tapes.recordings:
        request = recording.interaction.request
        key = key_of(request.method, recording.route, parse_body(request.body))
        earlier = first.setdefault((recording.route.generation, key), recording)
        pair = (earlier.file, recording.file)
        if earlier.file != recording.file and pair not in reported:
            reported.add(pair)
            yield error("duplicate", recording.place(), f"the same request as {earlier.place()}; they take turns")
