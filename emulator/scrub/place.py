"""A place in a message, in words for people."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ..tape.canonical import parse_body
from ..tape.interaction import sse_frames

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],]', re.DOTALL)
SPELLED = ("delta", "text", "token")  # keys of texts that come bit by bit, in streams and log probabilities
TELLING_APART = ("type", "item_id", "output_index", "content_index", "summary_index")  # events of Responses

Document = tuple[int | None, Any]  # (number of the event, its JSON)
Bit = tuple[int | None, str]  # (number of the event, its text)


def place_in(body: bytes, position: int, streamed: bool) -> str:
    """The event's number and the JSON path at this position, such as `event 3 choices[0].delta.content`."""
    if not streamed:
        return json_path(body.decode("latin-1"), position)
    begun = 0
    for number, frame in enumerate(sse_frames(body), 1):
        if position < begun + len(frame):
            line_at = frame.rfind(b"\n", 0, position - begun) + 1
            line = frame[line_at:].decode("latin-1").partition("\n")[0]
            path = json_path(line, position - begun - line_at) if line.startswith("data:") else ""
            return f"event {number} {path}".rstrip()
        begun += len(frame)
    return ""


def json_path(text: str, position: int) -> str:
    """The JSON path at this position; "" at the top of the JSON and in a text that is not JSON."""
    path = list[str | int | None]()  # for each open container: the index, or the key, or None while there is no key
    for token in TOKEN.finditer(text):
        if token.start() > position:
            break
        match token[0][0]:
            case "{" | "[" as opening:
                path.append(None if opening == "{" else 0)
            case "}" | "]":
                if path:
                    path.pop()
            case "," if path:
                path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
            case '"' if path and path[-1] is None and token.end() <= position:
                path[-1] = _key(token[0])
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key or '(a key)'}" for key in path).lstrip(".")


def _key(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token.strip('"')


def documents(body: bytes) -> list[Document]:
    """All JSON in an answer, as one value or in events. It ignores the content type."""
    whole = parse_body(body)
    if not isinstance(whole, bytes):
        return [(None, whole)]
    return [
        (number, parse_body(line.removeprefix(b"data:")))
        for number, frame in enumerate(sse_frames(body), 1)
        for line in frame.splitlines()
        if line.startswith(b"data:")
    ]


def spelled(documents: list[Document]) -> dict[str, list[Bit]]:
    """The texts that come bit by bit: JSON path without positions → the bits, each with its event's number."""
    texts = dict[tuple[str, ...], list[Bit]]()
    for number, value in documents:
        apart = tuple(str(value.get(name, "")) for name in TELLING_APART) if isinstance(value, dict) else ()
        for path, text in _strings(value, ""):
            if any(name in re.split(r"[.\[]", path) for name in SPELLED):
                texts.setdefault((path, *apart), []).append((number, text))
    return {" ".join(filter(None, key[:2])): bits for key, bits in texts.items() if len(bits) > 1}


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            index = item.get("index", "") if isinstance(item, dict) else ""
            yield from _strings(item, f"{path}[{index}]")
