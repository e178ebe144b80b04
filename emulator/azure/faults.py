"""Faults between Azure and a client: a table of small faults. Each changes how one answer leaves.

    reset; at_frame=3; times=1

The header `openai-emulator-fault`, a test's marker or `--fault` asks for a fault so. When it names no place, the seed
decides: the same seed means the same place. The errors of errors.yaml are faults, too: `rate_limited; retry=date`. A
fault happens at most `times` times.
"""

import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from itertools import pairwise
from typing import Any, NamedTuple

from ..failure import UsageError
from ..tape.interaction import Response
from .errors import ERRORS
from .identity import FAULTS as IDENTITY
from .plan import CLEANLY, STALL, Plan

MALFORMED_CHUNK = b"this is no chunk size\r\n"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
LATER = ("at_frame", "at_byte")
LONGEST = 86_400.0  # seconds that a fault may wait: a day


class FaultError(UsageError, ValueError):
    """A fault that does not exist, or has no such argument. The message lists what exists."""


@dataclass(frozen=True)
class Fault:
    """A fault as somebody asked for it."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "; ".join([self.name, *(f"{name}={value}" for name, value in self.arguments.items())])

    @property
    def times(self) -> int | None:
        return self.arguments.get("times")

    def waiting(self) -> dict[str, str] | None:
        """The headers that say how long to wait, if the fault names them; else None."""
        spelling = self.arguments.get("retry")
        return RETRY[spelling]() if spelling else None


class Kind(NamedTuple):
    """`apply(response, arguments, place)` makes the plan. `place` is the number of frames that leave before the fault.
    With `streams_only`, answers in one piece stay whole."""

    apply: Callable[[Response, Mapping[str, Any], int], Plan]
    arguments: tuple[str, ...]
    about: str
    streams_only: bool = False


def cut(response: Response, arguments: Mapping[str, Any], place: int) -> Response:
    """The answer up to the fault: its first bytes (`at_byte`) or frames (`place`)."""
    frames, end = response.frames(), arguments.get("at_byte")
    if end is None:
        kept = frames[:place]
    else:
        kept, left = [], int(end)
        for frame in frames:
            kept.append(frame[:left])
            left -= len(kept[-1])
    return _of(response, [frame for frame in kept if frame])


def _of(response: Response, frames: list[bytes]) -> Response:
    times = response.frame_at_ms[: len(frames)] if len(response.frame_at_ms) >= len(frames) else ()
    return replace(response, body=b"".join(frames), frame_bytes=tuple(map(len, frames)), frame_at_ms=times)


def _with(response: Response, place: int, frame: bytes) -> Response:
    """The answer up to this place, with another frame at its end."""
    return _of(response, [*response.frames()[:place], frame])


def _reset(response: Response, arguments: Mapping[str, Any], place: int) -> Plan:
    silent = not any(name in arguments for name in LATER)
    return Plan(cut(response, arguments, place), ending="reset", silent=silent)


def _half_character(response: Response, _: Mapping[str, Any], place: int) -> Plan:
    return Plan(_with(response, place, b'data: {"choices":[{"delta":{"content":"\xe2\x82'), ending="truncated")


def _no_end(response: Response, _: Mapping[str, Any], __: int) -> Plan:
    """The answer without [DONE], or without the last event of Responses."""
    return Plan(_of(response, response.frames()[:-1]))


def _error_event(response: Response, _: Mapping[str, Any], place: int) -> Plan:
    error = b'{"error":{"message":"The server had an error while processing your request. Sorry about that!",'
    return Plan(_with(response, place, b"data: " + error + b'"type":"server_error","param":null,"code":null}}\n\n'))


def _content_filter(response: Response, _: Mapping[str, Any], place: int) -> Plan:
    if b"event: response." in response.body:
        last = b'"status":"incomplete","incomplete_details":{"reason":"content_filter"},"object":"response","output":[]'
        event = b'event: response.incomplete\ndata: {"type":"response.incomplete","sequence_number":%d,' % place
        return Plan(_with(response, place, event + b'"response":{"id":"resp_filtered",' + last + b"}}\n\n"))
    last = b'"delta":{},"finish_reason":"content_filter","index":0,"logprobs":null}],"created":0,"id":"filtered",'
    chunk = b'data: {"choices":[{' + last + b'"model":"gpt-4o-mini","object":"chat.completion.chunk"}\n\n'
    return Plan(_with(response, place, chunk + b"data: [DONE]\n\n"))


def _html(response: Response, _: Mapping[str, Any], __: int) -> Plan:
    return Plan(replace(response, headers=(("content-type", "text/html"),), body=HTML, frame_at_ms=(), frame_bytes=()))


SECONDS = ("seconds",)
FAULTS: dict[str, Kind] = {
    "slow_first_byte": Kind(lambda r, a, _: Plan(r, wait=a.get("seconds", 1.0)), SECONDS, "headers come late"),
    "slow_frames": Kind(lambda r, a, _: Plan(r, pause=a.get("seconds", 0.1)), SECONDS, "every frame comes late"),
    "stall": Kind(lambda r, a, n: Plan(cut(r, a, n), ending=STALL), LATER, "nothing more comes"),
    "reset": Kind(_reset, LATER, "RST, before the headers unless a place is named"),
    "close": Kind(lambda r, a, n: Plan(cut(r, a, n), ending="truncated"), LATER, "FIN without the last chunk"),
    "malformed_chunk": Kind(
        lambda r, a, n: Plan(cut(r, a, n), ending="truncated", raw=MALFORMED_CHUNK), LATER, "broken chunk framing"
    ),
    "malformed_json": Kind(
        lambda r, a, n: Plan(_of(r, [*r.frames()[:n], b'data: {"choices":[{\n\n', *r.frames()[n:]])),
        LATER[:1],
        "a frame that is half a JSON document",
    ),
    "half_character": Kind(_half_character, LATER[:1], "FIN in the middle of a UTF-8 sequence", True),
    "no_end": Kind(_no_end, (), "a clean end without [DONE] or response.completed", True),
    "silent_truncation": Kind(lambda r, a, n: Plan(cut(r, a, n), ending=CLEANLY), LATER, "a clean end, too early"),
    "error_event": Kind(_error_event, LATER[:1], "an error in mid-stream, then a clean end", True),
    "content_filter_event": Kind(_content_filter, LATER[:1], "the filter ends a stream", True),
    "one_byte_chunks": Kind(
        lambda r, a, _: Plan(replace(r, frame_bytes=(1,) * len(r.body), frame_at_ms=())), (), "byte by byte"
    ),
    "wrong_content_type": Kind(_html, (), "status 200 and a page of HTML"),
}
RETRY: dict[str, Callable[[], dict[str, str]]] = {  # ways to say how long to wait; 50 ms where possible
    "seconds": lambda: {"retry-after": "1"},
    "ms": lambda: {"retry-after-ms": "50"},
    "both": lambda: {"retry-after": "1", "retry-after-ms": "50"},
    "date": lambda: {"retry-after": formatdate(time.time() + 1, usegmt=True)},
    "reset": lambda: {"x-ratelimit-reset-requests": "1", "x-ratelimit-reset-tokens": "1"},
    "none": lambda: {},
}
TYPES: dict[str, Callable[[str], Any]] = {
    "at_frame": int,
    "at_byte": int,
    "seconds": float,
    "times": int,
    "seed": int,
    "retry": str,
}
COMMON = ("times", "seed")


def parse(text: str) -> Fault:
    """Reads `name; argument=value; …`. Raises FaultError."""
    name, *pairs = (part.strip() for part in text.split(";"))
    if name not in FAULTS and name not in ERRORS:
        raise FaultError(f"There is no fault {name!r}. There are {', '.join([*FAULTS, *ERRORS, *IDENTITY])}.")
    allowed = (*(FAULTS[name].arguments if name in FAULTS else ("retry",)), *COMMON)
    arguments = {}
    for pair in filter(None, pairs):
        key, _, value = (part.strip() for part in pair.partition("="))
        try:
            if key not in allowed or (key == "retry" and value not in RETRY):
                raise ValueError
            arguments[key] = TYPES[key](value)
            if key != "retry" and not 0 <= arguments[key] <= (LONGEST if key == "seconds" else sys.maxsize):
                raise ValueError
        except ValueError as error:
            spellings = f"; retry is one of {', '.join(RETRY)}" if "retry" in allowed else ""
            raise FaultError(f"{name}: {pair!r} is not possible. It takes {', '.join(allowed)}{spellings}.") from error
    return Fault(name, arguments)


def plan(fault: Fault, response: Response, count: int) -> Plan:
    """The plan of the answer when the fault happens for the `count`-th time."""
    kind, whole = FAULTS[fault.name], response
    if not response.is_stream:
        if kind.streams_only:
            return Plan(response)
        response = replace(response, frame_bytes=_quarters(len(response.body)))
    frames = len(response.frames())
    chance = random.Random(f"{fault.arguments.get('seed', 0)} {fault.name} {count}")  # noqa: S311  (no secret)
    place = fault.arguments.get("at_frame", chance.randrange(1, max(frames, 2)))
    return replace(kind.apply(response, fault.arguments, min(place, frames)), whole=whole)


def _quarters(size: int) -> tuple[int, ...]:
    """An answer without frames leaves in four pieces."""
    ends = [size * part // 4 for part in range(5)]
    return tuple(later - earlier for earlier, later in pairwise(ends) if later > earlier)
