"""Does a recording answer its own request and no other? Every recorded request is changed in all the ways that could
go unnoticed, and asked for again: nothing that means something else may be answered, and nothing that means the same
may be a miss. Then the recordings are told that nobody can tell apart."""

from collections.abc import Iterator

from ..tape.canonical import Key
from ..tape.interaction import Request
from .context import Context
from .finding import Finding, error, info
from .mutation import Change, meaningful, meaningless, shortened
from .recording import Recording
from .tapes import Tapes


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    changes = same = 0
    for recording in tapes.recordings:
        request = shortened(recording.interaction.request)
        for change in meaningful(request):
            changes += 1
            if _answered(request, change):
                yield error("audit", recording.place(), f"would still be answered with another request: {change.what}")
        for change in meaningless(request):
            same += 1
            if not _answered(request, change):
                yield error("audit", recording.place(), f"would be a miss, though it means the same: {change.what}")
    yield from _alike(tapes)
    yield info("audit", "", f"audit: {changes:,} changes that make it another request, {same:,} that do not")


def _answered(request: Request, change: Change) -> bool:
    recorded, sent = request.meaning, change.request.meaning
    return recorded is not None and sent is not None and recorded.key == sent.key


def _alike(tapes: Tapes) -> Iterator[Finding]:
    """Requests that differ only in what is not compared: they take turns, whoever asks. The same request again is a
    sequence, and meant; the same in two files is `duplicate`'s business."""
    first = dict[tuple[str, str, Key], Recording]()
    for recording in tapes.recordings:
        request = recording.interaction.request
        if (meaning := request.meaning) is None:
            continue
        earlier = first.setdefault((recording.file, meaning.generation, meaning.key), recording)
        if differing := _differing(earlier.interaction.request, request):
            message = f"differs from {earlier.place()} in {differing} alone, which is not compared; they take turns"
            yield info("alike", recording.place(), message)


def _differing(one: Request, other: Request) -> str:
    names = {"uri": "the address", "headers": "headers", "body": "the bytes of the same JSON"}
    return " and ".join(text for name, text in names.items() if getattr(one, name) != getattr(other, name))
