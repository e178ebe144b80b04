"""Checks that sound and pictures are what was asked for, by their first bytes."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from ..tape.media import media_of
from .context import Context
from .finding import Finding, Problems, error
from .recording import Recording, objects
from .tapes import Tapes

SPEECH, IMAGES = "POST audio/speech", ("POST images/generations", "POST images/edits")
USUAL_SOUND, USUAL_PICTURE = "mp3", "png"  # OpenAI API reference, "Create speech", "Create image"
UNMARKED = "pcm"  # samples and nothing else


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    for recording in tapes.whole:
        if not recording.kind.refused:
            for event, message in _problems(recording):
                yield error("media", recording.place(event), message)


def _problems(recording: Recording) -> Problems:
    if recording.kind.operation == SPEECH and not recording.kind.streamed:
        yield from _unlike(recording.response.body, str(recording.asked.get("response_format") or USUAL_SOUND), None)
    elif recording.kind.operation in IMAGES:
        wanted = str(recording.asked.get("output_format") or USUAL_PICTURE)
        for document in recording.documents:
            for picture in _pictures(document.value):
                yield from _picture(picture, wanted, document.event)


def _pictures(value: Any) -> Iterator[Any]:
    """Those of an answer in one piece, or of an event."""
    for item in [*objects([value]), *objects(value.get("data") if isinstance(value, dict) else ())]:
        if "b64_json" in item:
            yield item["b64_json"]


def _picture(coded: Any, wanted: str, event: int | None) -> Problems:
    try:
        yield from _unlike(base64.b64decode(coded, validate=True), wanted, event)
    except (TypeError, ValueError, binascii.Error) as reason:
        yield event, f"b64_json is not base64: {reason}"


def _unlike(data: bytes, wanted: str, event: int | None) -> Problems:
    if wanted != UNMARKED and (kind := media_of(data).kind) != wanted:
        yield event, f"{wanted} was asked for, and this is {kind or 'something else'}"
