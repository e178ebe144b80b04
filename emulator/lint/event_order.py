"""The order of a Responses stream. Events belong to open items and parts, every item and part closes, and the pieces of
a text add up to the text in the last event."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from . import sdk
from .context import Context
from .finding import Finding, Problems, error
from .recording import Document, Recording
from .tapes import Tapes

Place = tuple[str, tuple[str, ...]]  # the name of a scope, and the values of its fields


class Scope(NamedTuple):
    """A span of the stream from `{name}.added` to `{name}.done`, one for every value of the `fields`."""

    name: str
    fields: tuple[str, ...]


ITEM = Scope("response.output_item", ("output_index",))
PART = Scope("response.content_part", ("output_index", "content_index"))
SUMMARY = Scope("response.reasoning_summary_part", ("output_index", "summary_index"))

INSIDE = {  # beginning of an event's type: the scope where it may happen
    "response.content_part.": ITEM,
    "response.output_text.": PART,
    "response.reasoning_summary_part.": ITEM,
    "response.reasoning_summary_text.": SUMMARY,
    "response.reasoning_text.": PART,
    "response.refusal.": PART,
    **dict.fromkeys(
        (
            "response.code_interpreter_call",
            "response.custom_tool_call_input.",
            "response.file_search_call.",
            "response.function_call_arguments.",
            "response.image_generation_call.",
            "response.mcp_",
            "response.web_search_call.",
        ),
        ITEM,
    ),
}
WHOLE = {  # values that come in deltas: the field of the `.done` event that repeats them
    "response.custom_tool_call_input": "input",
    "response.function_call_arguments": "arguments",
    "response.output_text": "text",
    "response.reasoning_summary_text": "text",
    "response.reasoning_text": "text",
    "response.refusal": "refusal",
}
FIRST = "response.created"
LAST = ("response.completed", "response.incomplete", "response.failed", "error")
UNFINISHED = ("response.incomplete", "response.failed", "error")  # may leave items open


def check(tapes: Tapes, _: Context) -> Iterator[Finding]:
    for recording in tapes.whole:
        if recording.kind.streamed and "responses" in recording.kind.operation:
            for event, message in problems(recording):
                yield error("order", recording.place(event), message)


def problems(recording: Recording) -> Problems:
    """Yields (event number, problem)."""
    all_events = [document for document in recording.documents if isinstance(document.value, dict)]
    events = [document for document in all_events if sdk.knows_event(document.value.get("type"))]
    resumed = dict(recording.route.query).get("starting_after")
    if not events:
        yield None, "the stream has no events"
        return
    types = [str(document.value.get("type")) for document in events]
    if types[0] != FIRST and resumed is None:
        yield events[0].event, f"the stream begins with {types[0]}, not {FIRST}"
    if types[-1] not in LAST:
        yield events[-1].event, f"the stream ends with {types[-1]}, not one of {', '.join(LAST)}"
    yield from _numbers(all_events, int(resumed) + 1 if resumed and resumed.isdigit() else 0)
    if resumed is None:  # a resumed stream may have opened its items before
        yield from _scopes(events)
        yield from _wholes(events)
        yield from _output(events)


def _numbers(events: list[Document], first: int) -> Problems:
    """Checks sequence numbers. An event of a newer API may have one or none: `keepalive` was seen with both."""
    expected = first
    for event, _, value in events:
        number = value.get("sequence_number")
        if number != expected and sdk.knows_event(value.get("type")):
            yield event, f"sequence_number is {number}, not {expected}"
            return  # all later numbers are shifted, too
        expected += number == expected


def _scopes(events: list[Document]) -> Problems:
    opened, ended = dict[Place, int | None](), None
    for document in events:
        kind = str(document.value.get("type"))
        if ended and kind != "error":  # Azure was seen to send response.failed, then the error
            yield document.event, f"{kind} comes after {ended}"
        ended = kind if kind in LAST else ended
        scope = next((one for one in (ITEM, PART, SUMMARY) if kind.startswith(f"{one.name}.")), None)
        ends = scope is not None and kind.endswith(".done")
        needed = scope if ends else next((one for start, one in INSIDE.items() if kind.startswith(start)), None)
        if needed and _at(needed, document) not in opened:
            yield document.event, f"{kind} comes without {needed.name}.added before it"
        if scope and ends:
            opened.pop(_at(scope, document), None)
        elif scope:
            opened[_at(scope, document)] = document.event
        if kind in LAST and kind not in UNFINISHED:
            for (name, _), event in opened.items():
                yield event, f"{name}.added is never followed by {name}.done"


def _wholes(events: list[Document]) -> Problems:
    said = dict[tuple[str, ...], str]()
    for document in events:
        event = document.value
        stem, _, step = str(event.get("type")).rpartition(".")
        at = (stem, *(repr(event.get(name)) for name in ("output_index", "content_index", "summary_index")))
        if stem in WHOLE and step == "delta":
            said[at] = said.get(at, "") + str(event.get("delta"))
        elif stem in WHOLE and step == "done" and said.get(at, "") != event.get(WHOLE[stem]):
            yield document.event, f"its {WHOLE[stem]} is not what the deltas before it add up to"


def _output(events: list[Document]) -> Problems:
    done = [_id_of(event.value.get("item")) for event in events if event.value.get("type") == f"{ITEM.name}.done"]
    last = events[-1].value
    output = last["response"].get("output") if isinstance(last.get("response"), dict) else None
    if last.get("type") != "response.failed" and isinstance(output, list) and [_id_of(item) for item in output] != done:
        yield events[-1].event, "its output does not list the items that were done"


def _id_of(item: Any) -> Any:
    return item.get("id") if isinstance(item, dict) else None


def _at(scope: Scope, document: Document) -> Place:
    return scope.name, tuple(repr(document.value.get(name)) for name in scope.fields)
