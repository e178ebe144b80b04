"""The order of a chat stream: every choice finishes once, and no text of it follows."""

from collections.abc import Iterator
from typing import Any

from .context import Context
from .finding import Finding, Problems, error, info
from .recording import Recording, objects
from .tapes import Tapes


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    for recording in tapes.whole:
        if recording.kind.streamed and recording.kind.operation == "POST chat/completions":
            for event, message in problems(recording):
                yield error("order", recording.place(event), message)
            for event, message in roleless(recording):
                yield info("order", recording.place(event), message)


def problems(recording: Recording) -> Problems:
    chunks = [document for document in recording.documents if isinstance(document.value, dict)]
    broken = any(document.value.get("error") for document in chunks)
    ids, begun, finished, calls = set[str](), dict[str, int | None](), set[str](), set[tuple[str, str]]()
    for event, _, chunk in chunks:
        if chunk.get("id"):  # empty in a chunk about the content filter only
            if len(ids | {str(chunk["id"])}) > len(ids) == 1:
                yield event, f"its id {chunk['id']!r} is not that of the chunks before it"
            ids.add(str(chunk["id"]))
        for choice in objects(chunk.get("choices")):
            delta, index = choice.get("delta"), repr(choice.get("index"))
            if not isinstance(delta, dict):  # of the asynchronous filter
                continue
            if index in finished:
                yield event, f"choice {index} goes on after its finish_reason"
            begun[index] = event
            for call in objects(delta.get("tool_calls")):
                at = (index, repr(call.get("index")))
                if at not in calls and not (call.get("id") and _name_of(call)):
                    yield event, f"tool call {at[1]} does not begin with an id and a name"
                calls.add(at)
            if choice.get("finish_reason"):
                finished.add(index)
    for index, event in begun.items():
        if index not in finished and not broken:
            yield event, f"choice {index} has no finish_reason"
    if not begun and not broken:
        yield None, "the stream has no choices"


def roleless(recording: Recording) -> Problems:
    """Some models leave the role out, and every client does without it."""
    begun = set[str]()
    for event, _, chunk in recording.documents:
        for choice in objects(chunk.get("choices")) if isinstance(chunk, dict) else ():
            delta, index = choice.get("delta"), repr(choice.get("index"))
            if isinstance(delta, dict) and index not in begun and "role" not in delta:
                yield event, f"choice {index} begins without a role"
            begun.update([index] if isinstance(delta, dict) else ())


def _name_of(call: dict[str, Any]) -> Any:
    return next((function.get("name") for function in objects([call.get("function")])), None)
