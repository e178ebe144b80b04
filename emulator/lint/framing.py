"""Checks the form of an answer: content type, valid JSON, and the frames, end and schedule of a stream."""

import json
from collections.abc import Iterator
from typing import Any

from ..tape.cassette import Response
from ..tape.frame import DONE, Frame
from .context import Context
from .finding import Finding, Problems, error
from .recording import Recording
from .schema import short
from .tapes import Tapes

TEXTS = ("POST audio/transcriptions", "POST audio/translations")  # text, SRT or WebVTT, where that is asked for
FILES = ("POST audio/speech", "GET containers/{id}/files/{id}/content")
MEDIA = ("audio/", "images/")  # nobody knows how Azure ends their streams
TRUE = (True, "true")  # in JSON, in a form
EMPTY_LINES = (b"\n\n", b"\r\n\r\n")


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    for recording in tapes.whole:
        problems = _stream(recording) if recording.kind.streamed else _whole(recording)
        for event, message in problems:
            yield error("framing", recording.place(event), message)


def _whole(recording: Recording) -> Problems:
    response, operation, refused = recording.response, recording.kind.operation, recording.kind.refused
    kind = response.header("content-type")
    if not refused and recording.asked.get("stream") in TRUE and operation not in TEXTS:  # Whisper does not stream
        yield None, f"a stream was asked for, but content-type is {kind!r}, not text/event-stream"
        return
    if not refused and operation in FILES:
        yield from [(None, "the answer is empty")] if not response.body else ()
        return
    if not refused and operation in TEXTS and kind.startswith("text/plain"):
        return
    says_json = "json" in kind
    if not refused and response.body and not says_json:  # the SDK hands such a body out as text
        yield None, f"content-type is {kind!r}, not application/json"
    if says_json or not refused:
        yield from ((None, message) for message in _unparsable(response.body.decode(errors="replace")))


def _stream(recording: Recording) -> Problems:
    frames, body = recording.frames, recording.response.body
    if not body.endswith(EMPTY_LINES):
        yield len(frames) or None, "the stream does not end with an empty line, so clients drop its last event"
    chat = recording.kind.operation.endswith("chat/completions")
    may_say_done = chat or recording.route.operation.startswith(MEDIA)
    for frame in frames:
        yield from ((frame.number, f"{short(line)} is no SSE field") for line in frame.odd)
        if frame.data and frame.data != DONE:
            yield from ((frame.number, message) for message in _unparsable(frame.data))
        if frame.event and frame.data and frame.event != (kind := _type_of(recording, frame)):
            yield frame.number, f"its event field is {frame.event!r}, its data's type {kind!r}"
        if frame.data == DONE and (not may_say_done or frame != frames[-1]):
            said = "is not the last event" if may_say_done else "is no event of this API"
            yield frame.number, f"{DONE} {said}"
    if chat and not any(frame.data == DONE for frame in frames) and not _broke(recording):
        yield len(frames) or None, f"the stream does not end with data: {DONE}"
    yield from ((None, message) for message in _schedule(recording.response))


def _schedule(response: Response) -> Iterator[str]:
    at, frames = response.frame_at_ms, len(response.frames())
    if at and len(at) != frames:
        yield f"frame_at_ms has {len(at)} times for {frames} frames"
    if any(later < earlier for earlier, later in zip((0.0, *at), at, strict=False)):
        yield "frame_at_ms goes back in time"


def _type_of(recording: Recording, frame: Frame) -> Any:
    value = next((document.value for document in recording.documents if document.event == frame.number), None)
    return value.get("type") if isinstance(value, dict) else None


def _broke(recording: Recording) -> bool:
    """Whether the stream ends with an error object, which is an end, too (the SDK raises it)."""
    last = recording.documents[-1].value if recording.documents else None
    return isinstance(last, dict) and bool(last.get("error"))


def _unparsable(text: str) -> Iterator[str]:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as reason:
        yield f"not JSON: {reason}"
