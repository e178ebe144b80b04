"""The content of an answer, to compare with another host's answer to the same request."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FRAMING = {"date", "connection", "content-length", "transfer-encoding", "keep-alive"}
"""What is of the moment, or is how the same bytes were framed."""
BY_THE_HOST = {"host", "x-ms-invocation-id"}
SETS = {"allow"}
"""Headers whose order says nothing; Starlette writes this one from a set."""
OF_A_CALL = ("function", "method", "parameters", "query", "body")
EARLY_MS = 400
KESTREL = "Kestrel"  # Microsoft's server names itself
CLIENT = re.compile(r'"client":(null|"[^"]*"),')
"""uvicorn's releases make different things of `x-forwarded-for`."""
CUT = re.compile(r"… \([\d,]+ bytes\)$", re.ASCII)


@dataclass(frozen=True)
class Answer:
    """`body` is the recorded app's report of its call, where the app answered. `arrived` has the headers that reached
    the app. `cut`: the recording lacks the rest of the text. `first_ms` is None where nothing came, or where it means
    nothing."""

    status: str
    body: Any
    text: str
    headers: list[tuple[str, str]]
    arrived: list[tuple[str, str]] | None
    end: str
    first_ms: int | None
    cut: bool

    @property
    def function(self) -> str | None:
        return self.body["function"] if isinstance(self.body, dict) else None

    @property
    def is_of_a_function(self) -> bool:
        return self.function is not None or (self.status.startswith("2") and self.end != "reset")


def read(got: Sequence[tuple[int, str]], end: str, timed: bool = True) -> Answer:
    """An answer from its pieces, each with the milliseconds of its arrival."""
    text = "".join(piece for _, piece in got)
    text = CLIENT.sub("", text)
    text = re.sub(r"^\(stopped[^)]*\)", "", text)
    text = re.sub(r"^(HTTP/1.1 100[^\r]*\r\n\r\n)+", "", text)
    cut = CUT.search(text) is not None
    head, ends, body = CUT.sub("", text).partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if cut and not ends:
        headers.pop()  # it may be cut itself
    body = unchunked(body) if ("transfer-encoding", "chunked") in headers else body
    said, arrived = _said(body)
    first_ms = got[0][0] if got and timed else None
    kept = [(name, _in_order(name, value)) for name, value in headers if name not in FRAMING and value != KESTREL]
    return Answer(status[9:12], said, body, kept, arrived, "closed" if end == "open" else end, first_ms, cut)


def _in_order(name: str, value: str) -> str:
    return ", ".join(sorted(value.split(", "))) if name in SETS else value


def _said(body: str) -> tuple[Any, list[tuple[str, str]] | None]:
    try:
        call = json.loads(body)
    except ValueError:
        return body, None
    if not isinstance(call, dict) or "function" not in call:
        return body, None
    arrived = sorted((name, value) for name, value in call["headers"] if name not in BY_THE_HOST)
    return {part: call[part] for part in OF_A_CALL}, arrived


def unchunked(body: str) -> str:
    pieces = []
    while match := re.match(r"([0-9a-fA-F]+)[^\r]*\r\n", body):
        size = int(match[1], 16)
        pieces.append(body[match.end() : match.end() + size])
        body = body[match.end() + size + 2 :]
    return "".join(pieces)


def is_whole(text: str) -> bool:
    head, ends, body = text.partition("\r\n\r\n")
    if re.search(r"(?i)\r\ntransfer-encoding: chunked", head):
        return body.endswith("0\r\n\r\n")
    length = re.search(r"(?i)\r\ncontent-length: (\d+)", head)
    return bool(ends and length and len(body) >= int(length[1]))


def differences(original: Answer, here: Answer) -> dict[str, str]:
    """A line for each part that differs. Lateness is no difference: a busy machine is late."""
    pairs = {part: (getattr(original, part), getattr(here, part)) for part in ("status", "body", "end")}
    pairs["headers"] = sorted(original.headers), sorted(here.headers)
    if original.cut:
        pairs["body"] = original.text, here.text[: len(original.text)]
        if not original.text:
            pairs["headers"] = original.headers, here.headers[: len(original.headers)]
    if None not in (original.arrived, here.arrived):
        pairs["arrived"] = original.arrived, here.arrived
    if original.first_ms is not None and here.first_ms is not None and here.first_ms < original.first_ms - EARLY_MS:
        pairs["early"] = original.first_ms, here.first_ms
    return {part: f"{part}: {_short(a)} there, {_short(b)} here" for part, (a, b) in pairs.items() if a != b}


def _short(value: object) -> str:
    return repr(value)[:120]


def is_kinder(original: Answer, here: Answer) -> bool:
    """Whether a function answers here, but none or another one there: a green test here would fail in Azure."""
    if original.is_of_a_function and original.function and here.function:
        return original.function != here.function
    return here.is_of_a_function and not original.is_of_a_function
