"""Does a recording answer its own request and no other? Every recorded request is changed in all the ways that could
go unnoticed, and asked for again: nothing that means something else may be answered, unless a declaration says so, and
nothing that means the same may be a miss. Then the recordings are told that nobody can tell apart, and the declarations
that let nothing vary."""

from collections.abc import Iterator

from ..match.slack import Slack
from ..tape.canonical import Key
from ..tape.interaction import Request
from .context import Context
from .finding import Finding, error, info
from .mutation import Change, meaningful, meaningless, shortened
from .recording import Recording, key_of
from .slack import is_declared, nearby, unmet, varied
from .tapes import Tapes


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    changes = same = declared = 0
    for recording in tapes.recordings:
        request = shortened(recording.interaction.request)
        for change in (*meaningful(request), *nearby(recording.slack, request)):
            allowed = bool(recording.slack) and is_declared(recording.slack, request, change.request)
            changes, declared = changes + (not allowed), declared + allowed
            if _answered(request, change, recording.slack) and not allowed:
                yield error("audit", recording.place(), f"would also answer another request: {change.what}")
        for change in meaningless(request):
            same += 1
            if not _answered(request, change, recording.slack):
                yield error("audit", recording.place(), f"would miss the same request in another form: {change.what}")
        for change in varied(recording.slack, request):
            declared += 1
            if not _answered(request, change, recording.slack):
                yield error("audit", recording.place(), f"would be a miss, though it may vary: {change.what}")
    yield from _alike(tapes)
    yield from _unmet(tapes)
    said = f", {declared:,} that may vary" if any(recording.slack for recording in tapes.recordings) else ""
    yield info("audit", "", f"audit: {changes:,} changes that make it another request, {same:,} that do not{said}")


def _answered(request: Request, change: Change, slack: Slack) -> bool:
    return (key := key_of(request, slack)) is not None and key == key_of(change.request, slack)


def _unmet(tapes: Tapes) -> Iterator[Finding]:
    by_slack = dict[Slack, list[Recording]]()
    for recording in tapes.recordings:
        by_slack.setdefault(recording.slack, []).append(recording)
    for slack, recordings in by_slack.items():
        files = ", ".join(dict.fromkeys(recording.file for recording in recordings))
        for rule in unmet(slack, [recording.interaction.request for recording in recordings]):
            yield info("slack", files, f"lets nothing vary here: {rule}")


def _alike(tapes: Tapes) -> Iterator[Finding]:
    """Requests that differ only in parts that matching ignores. Their answers take turns, whichever request comes.
    Equal requests are a sequence, and intended. `duplicate` finds equal requests in two files."""
    first = dict[tuple[str, str, Key], Recording]()
    for recording in tapes.recordings:
        request = recording.interaction.request
        if (meaning := request.meaning) is None:
            continue
        earlier = first.setdefault((recording.file, meaning.generation, meaning.key), recording)
        if differing := _differing(earlier.interaction.request, request):
            message = f"differs from {earlier.place()} in {differing} only, which matching ignores; they take turns"
            yield info("alike", recording.place(), message)


def _differing(one: Request, other: Request) -> str:
    names = {"uri": "the address", "headers": "headers", "body": "the bytes of the same JSON"}
    return " and ".join(text for name, text in names.items() if getattr(one, name) != getattr(other, name))
