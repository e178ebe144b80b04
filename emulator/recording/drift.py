"""The differences between a recorded answer and today's answer to the same request, by severity."""

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from ..tape.cassette import Response
from ..tape.frame import frames
from ..tape.media import media_of
from ..tape.usage import tokens_of

Severity = Literal["error", "warning", "info"]
OF_THE_MOMENT = ("id", "created", "created_at", "system_fingerprint", "obfuscation", "item_id", "response_id")
TEXTS = (
    "content",
    "delta",
    "text",
    "arguments",
    "refusal",
    "embedding",
    "encrypted_content",
    "bytes",
    "logprob",
    "token",
    "b64_json",
    "audio",
)


class Drift(NamedTuple):
    """`error`: a client that understood the recorded answer may fail on the new one. `warning`: a field came or went.
    `info`: words or numbers changed."""

    severity: Severity
    what: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.what}"


def drifts(recorded: Response, today: Response) -> list[Drift]:
    """The differences, the worst first. Ids, dates and rate limits do not count."""
    if recorded.status != today.status:
        return [Drift("error", f"the status was {recorded.status}, is {today.status}: {_short(today.body)}")]
    before, now = _kind(recorded), _kind(today)
    if before != now:
        return [Drift("error", f"the content type was {before}, is {now}")]
    found = [*_shapes(recorded, today), *_headers(recorded, today), *_values(recorded, today), *_sizes(recorded, today)]
    return sorted(found, key=lambda drift: ("error", "warning", "info").index(drift.severity))


def _shapes(recorded: Response, today: Response) -> Iterator[Drift]:
    before, now = _types(recorded), _types(today)
    for path in _outermost(set(before) - set(now)):
        yield Drift("error", f"{path} is gone")
    for path in sorted(set(before) & set(now)):
        if changed := now[path] - before[path]:
            yield Drift("error", f"{path} was {_or(before[path])}, is also {_or(changed)}")
    for path in _outermost(set(now) - set(before)):
        yield Drift("warning", f"{path} is new")


def _outermost(paths: set[str]) -> list[str]:
    """The paths that lie within no other path. An event's type comes first in a path and contains dots itself."""
    return sorted(path for path in paths if not any(path.startswith((f"{other}.", f"{other}[")) for other in paths))


def _headers(recorded: Response, today: Response) -> Iterator[Drift]:
    before, now = ({name.lower() for name, _ in response.headers} for response in (recorded, today))
    for name in sorted(before - now):
        yield Drift("warning", f"the header {name} is gone")
    for name in sorted(now - before):
        yield Drift("info", f"the header {name} is new")


def _values(recorded: Response, today: Response) -> Iterator[Drift]:
    before, now = _said(recorded), _said(today)
    for path in sorted(set(before) & set(now)):
        name = path.rpartition(".")[2].removesuffix("[]")
        if before[path] != now[path] and name not in OF_THE_MOMENT:
            if name in TEXTS:
                yield Drift("info", f"{path} says something else")
            else:
                yield Drift("warning", f"{path} was {_short(before[path])}, is {_short(now[path])}")


def _sizes(recorded: Response, today: Response) -> Iterator[Drift]:
    sounds = media_of(recorded.body), media_of(today.body)
    if sounds[0].kind and sounds[0] != sounds[1]:
        yield Drift("info", f"it was {sounds[0]}, is {sounds[1]}")
    before, now = tokens_of(recorded), tokens_of(today)
    if before != now:
        yield Drift("info", f"tokens were {before.input} + {before.output}, are {now.input} + {now.output}")


def _documents(response: Response) -> Iterator[tuple[str, Any]]:
    """(type of the event, its JSON). A whole body counts as an event without a type, and a sound as one of its kind."""
    media = media_of(response.body)
    if media.kind or b"\0" in response.body:
        yield media.kind or "data", None
        return
    texts = (
        [frame.data for frame in frames(response)] if response.is_stream else [response.body.decode(errors="replace")]
    )
    for text in texts:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            yield text[:20], None
            continue
        yield (str(value.get("type") or "") if isinstance(value, dict) and response.is_stream else ""), value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    for name, item in value.items() if isinstance(value, dict) else ():
        yield from _leaves(item, f"{path}.{name}".lstrip("."))
    for item in value if isinstance(value, list) else ():
        yield from _leaves(item, f"{path}[]")


def _types(response: Response) -> dict[str, set[str]]:
    """JSON paths without indices, and the types of their values."""
    types = dict[str, set[str]]()
    for event, document in _documents(response):
        for path, value in _leaves(document, event):
            types.setdefault(path or "the body", set()).add(_type(value))
    return types


def _said(response: Response) -> dict[str, Any]:
    """The values of strings and booleans. A stream's pieces are joined, and repetitions count once."""
    said = dict[str, list[Any]]()
    for event, document in _documents(response):
        for path, value in _leaves(document, event):
            if isinstance(value, str | bool):
                values = said.setdefault(path, [])
                if path.rpartition(".")[2] in TEXTS or value not in values:
                    values.append(value)
    return {path: "".join(map(str, values)) if len(values) > 1 else values[0] for path, values in said.items()}


def _type(value: Any) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a string",
        dict: "an object",
        list: "a list",
    }
    return names.get(type(value), "null")


def _kind(response: Response) -> str:
    return response.header("content-type").partition(";")[0]


def _or(names: set[str]) -> str:
    return " or ".join(sorted(names))


def _short(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:99]}…"
