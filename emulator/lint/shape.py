"""Compares synthetic answers with real ones of their kind: key order, headers, white space, and order of events."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

from ..tape.frame import DONE
from .context import Context
from .finding import Finding, error, info
from .recording import Document, Kind, Recording, objects
from .tapes import Tapes

CALLERS_OWN = ("metadata", "parameters", "properties", "schema")  # the keys below these keep the order of the request
OF_THE_CONNECTION = ("connection", "content-length", "keep-alive", "set-cookie", "transfer-encoding")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

Keys = tuple[str, str, tuple[str, ...]]  # kind of event, JSON path, the keys of an object there
Pair = tuple[str, str, str, str]  # kind of event, JSON path, key, a later key


@dataclass
class Shape:
    """The shape of real recordings."""

    headers: set[str] | None = None  # headers that all recordings have
    orders: set[Pair] = field(default_factory=set)
    keys: set[Keys] = field(default_factory=set)  # whose pairs are in `orders`
    layouts: set[str] = field(default_factory=set)
    steps: set[tuple[str, str]] = field(default_factory=set)

    def add(self, recording: Recording) -> None:
        names = headers_of(recording)
        self.headers = names if self.headers is None else self.headers & names
        self.layouts.add(layout_of(recording))
        self.steps.update(pairwise(steps_of(recording)))
        for keys in {keys for document in recording.documents for keys in keys_of(document)} - self.keys:
            self.keys.add(keys)
            self.orders.update(orders_of(keys))


def check(tapes: Tapes, context: Context) -> Iterator[Finding]:
    if context.real is None:
        yield info("shape", "", "not compared with real recordings: --recordings names their folder")
        return
    shapes = dict[Kind, Shape]()
    for recording in context.real.recordings:
        for kind in (recording.kind, _any_generation(recording.kind)):
            shapes.setdefault(kind, Shape()).add(recording)
    alone = dict[Kind, list[Recording]]()
    for recording in tapes.recordings:
        if recording.synthetic:
            kind = recording.kind
            if shape := shapes.get(kind):
                yield from _names(recording, shape)
                yield from _orders(recording, shape)
            else:
                alone.setdefault(kind, []).append(recording)
            if shape := shapes.get(_any_generation(kind)):
                yield from _layout(recording, shape)
                yield from _steps(recording, shape)
    for kind, recordings in alone.items():
        message = f"no real recording of {kind}: keys and headers not compared ({len(recordings)} synthetic)"
        yield info("shape", recordings[0].place(), message)


def _any_generation(kind: Kind) -> Kind:
    """The kind for white space and events, which depend on the operation. Headers and key order need the generation."""
    return kind._replace(generation="any")


def _names(recording: Recording, shape: Shape) -> Iterator[Finding]:
    if missing := sorted((shape.headers or set()) - headers_of(recording)):
        message = f"every real recording of {recording.kind} has {', '.join(missing)}; this has not"
        yield error("shape", recording.place(), message)


def _layout(recording: Recording, shape: Shape) -> Iterator[Finding]:
    layout = layout_of(recording)
    if recording.documents and layout not in shape.layouts:
        known = " or ".join(sorted(shape.layouts))
        yield error("shape", recording.place(), f"the body is {layout}; real ones are {known}")


def _steps(recording: Recording, shape: Shape) -> Iterator[Finding]:
    unseen = [step for step in dict.fromkeys(pairwise(steps_of(recording))) if step not in shape.steps]
    if unseen:
        steps = ", ".join(f"{earlier} > {later}" for earlier, later in unseen)
        yield info("shape", recording.place(), f"in no real recording of {recording.kind.operation}: {steps}")


def _orders(recording: Recording, shape: Shape) -> Iterator[Finding]:
    told = set[Pair]()
    for document in recording.documents:
        for pair in (pair for keys in keys_of(document) if keys not in shape.keys for pair in orders_of(keys)):
            step, path, first, second = pair
            if (step, path, second, first) in shape.orders and pair not in shape.orders and pair not in told:
                told.add(pair)
                message = f"{first} comes before {second}; in every real recording it comes after"
                yield error("shape", recording.place(document.event, path), message)


def keys_of(document: Document) -> Iterator[Keys]:
    """The keys of every object, in their order. Most events of a stream have the same."""
    step = _step(document, document.text) if document.event else ""
    yield from ((step, *found) for found in _keys(document.value, ""))


def _keys(value: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(value, dict):
        yield path, (*value,)
        for name, item in value.items():
            if name not in CALLERS_OWN:
                yield from _keys(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item, f"{path}[]")


def orders_of(keys: Keys) -> Iterator[Pair]:
    """Every pair of the keys, in their order."""
    step, path, names = keys
    return ((step, path, first, second) for first, second in combinations(names, 2))


def headers_of(recording: Recording) -> set[str]:
    return {name.lower() for name, _ in recording.response.headers} - {*OF_THE_CONNECTION}


def layout_of(recording: Recording) -> str:
    """The layout of the JSON: white space between its tokens, and the end of the body."""
    space = {_spacing(document.text) for document in recording.documents}
    ending = "" if recording.kind.streamed else _ending(recording.response.body)
    return "/".join(sorted(space)) + ending


def _spacing(text: str) -> str:
    bare = STRING.sub('""', text).strip()
    if match := re.search(r"\n( *)", bare):
        return f"indented by {len(match[1])}"
    return "spaced" if " " in bare else "compact"


def _ending(body: bytes) -> str:
    return " with a final newline" if body.endswith(b"\n") else " without a final newline"


def steps_of(recording: Recording) -> list[str]:
    """The kinds of events in a stream, each run of equal ones once."""
    documents = {document.event: document for document in recording.documents}
    steps = [_step(documents.get(frame.number), frame.data) for frame in recording.frames]
    return [step for at, step in enumerate(steps) if at == 0 or steps[at - 1] != step]


def _step(document: Document | None, data: str) -> str:
    value = document.value if document else None
    if not isinstance(value, dict):
        return DONE if data == DONE else "something else"
    if "type" in value:
        return str(value["type"])
    choices = objects(value.get("choices"))
    if not choices:
        return "usage" if value.get("usage") else "prompt_filter_results"
    if not any("delta" in choice for choice in choices):
        return "content_filter_offsets"
    names = [name for delta in objects([choice.get("delta") for choice in choices]) for name in delta]
    return "role" if "role" in names else " and ".join(dict.fromkeys(names)) or "finish_reason"
