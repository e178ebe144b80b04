"""Checks every body and event against the OpenAI SDK's types and, where available, Azure's descriptions."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import sdk
from .context import Context
from .deviation import Against, known
from .finding import Finding, error, info
from .recording import Document, Recording
from .schema import NEWER, Schema
from .tapes import Tapes

Lookup = Callable[[Recording, Document], tuple[str, Schema] | None]  # (name of the description, schema)


class Spot(NamedTuple):
    """Similar findings share a spot, and one is shown: an error of a recording, or a new value of an operation."""

    where: str
    path: str
    newer: bool
    message: str


def against_sdk(tapes: Tapes, _: Context) -> Iterator[Finding]:
    def lookup(recording: Recording, document: Document) -> tuple[str, Schema] | None:
        return sdk.schema_for(recording.kind, document.value)

    yield from _check(tapes, "sdk", lookup)
    untyped = {r.kind.operation: r for r in tapes.recordings if not sdk.knows(r.kind)}
    for operation, recording in untyped.items():
        yield info("sdk", recording.place(), f"{sdk.NAME} has no type for the answer of {operation}: not checked")


def against_openapi(tapes: Tapes, context: Context) -> Iterator[Finding]:
    descriptions = context.descriptions
    if descriptions is None:
        yield info("openapi", "", "not compared with Azure's descriptions: --specs names their folder")
        return

    def lookup(recording: Recording, document: Document) -> tuple[str, Schema] | None:
        broken = recording.kind.streamed and isinstance(document.value, dict) and document.value.get("error")
        return None if broken else descriptions.schema_for(recording)

    yield from _check(tapes, "openapi", lookup)


def _check(tapes: Tapes, against: Against, lookup: Lookup) -> Iterator[Finding]:
    places, counts = dict[Spot, str](), dict[Spot, int]()
    for recording in tapes.recordings:
        for document in recording.documents:
            if (found := lookup(recording, document)) is None:
                continue
            name, schema = found
            for violation in schema.violations(document.value):
                path = re.sub(r"\[\d+\]", "[]", violation.path)
                if known(violation, path, recording.kind.operation, against, recording.asked):
                    continue
                newer = violation.kind in NEWER
                if newer and against == "openapi":  # the service sends more than its descriptions say
                    continue
                where = recording.kind.operation if newer else recording.place()
                spot = Spot(where, path, newer, f"{violation.message} ({name})")
                places.setdefault(spot, recording.place(document.event, violation.path))
                counts[spot] = counts.get(spot, 0) + 1
    for spot, count in counts.items():
        finding = info if spot.newer else error
        yield finding(against, places[spot], spot.message + (f", {count} times" if count > 1 else ""))
