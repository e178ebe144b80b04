"""The kinds of calls in the soak, and how each must end."""

import json
from dataclasses import dataclass, field

from emulator.azure.app import FAULT_HEADER
from emulator.azure.errors import ERRORS
from emulator.azure.faults import FAULTS
from emulator.azure.rules import facts_of
from emulator.tape.interaction import Interaction
from emulator.tape.route import parse
from proxy.refusal import refusal
from proxy.settings import DEFAULT_SCOPE
from tests.load.streams import stream_of
from tests.support import AZURE, recording

BROKEN = "upstream_stream_broken"
KEY = {"x-functions-key": "test-key"}


@dataclass(frozen=True)
class Answer:
    """A caller's answer. `whole` says that it ended as HTTP requires."""

    status: int
    body: bytes
    whole: bool


@dataclass(frozen=True)
class Case:
    """One kind of call. A `whole` answer is `body`, byte for byte, or contains `says`, or is the proxy's own error with
    `code`. An answer that is not whole breaks off; `added` are the bytes that the fault adds at its end."""

    sent: bytes
    headers: dict[str, str] = field(default_factory=lambda: KEY)
    status: int = 200
    body: bytes = b""
    says: bytes = b""
    code: str | None = None
    whole: bool = True
    added: bytes = b""
    ends_by_timeout: bool = False

    @property
    def outcome(self) -> str:
        """The expected end, in words."""
        if self.whole:
            return f"{self.status} {self.code or 'as Azure sent it'}"
        return f"{self.status} and breaks off, between events after {BROKEN}"

    def judge(self, got: Answer) -> None:
        """Raises AssertionError or ValueError where the call ended differently."""
        assert (got.status, got.whole) == (self.status, self.whole), f"not {self.outcome}: {got}"
        if self.code:
            assert json.loads(got.body)["error"]["code"] == self.code, got
        elif self.says:
            assert self.says in got.body, got
        elif self.whole:
            assert got.body == self.body, f"not byte for byte: {got}"
        else:
            told, _, error = got.body.partition(b'data: {"error"')
            assert self.body.startswith(told.removesuffix(self.added)), f"what came is not what was sent: {got}"
            assert (BROKEN.encode() in error) == (told[-2:] in (b"", b"\n\n")), f"a break that is not explained: {got}"


ANSWERS = [  # an ordinary answer, a long answer, and a stream of eight seconds
    *(recording(b'{"model":"gpt-4o-mini","messages":[%d]}' % size, b'"%s"' % (b"x" * size)) for size in (1, 2_000_000)),
    stream_of(0, frames=40, ms=200.0),
]
JSON, LONG, STREAM = ANSWERS
FACTS = facts_of(parse(f"{AZURE}chat/completions"), "gpt-4o-mini")  # Azure repeats these in its errors


def served(made: Interaction, fault: str = "", **more: object) -> Case:
    headers = KEY | ({FAULT_HEADER: fault} if fault else {})
    return Case(**{"sent": made.request.body, "headers": headers, "body": made.response.body, **more})  # type: ignore[arg-type]


def refused(name: str) -> Case:
    """An error of Azure's. The proxy passes it on as it is, unless it is about the proxy's identity."""
    error = ERRORS[name]
    if error.status in (401, 403):
        words = error.body_for(FACTS)
        return served(JSON, name, status=502, code=refusal(error.status, words, DEFAULT_SCOPE).code)
    return served(JSON, name, status=error.status, body=error.body_for(FACTS))


CASES = {  # no stream breaks with its headers: to the proxy it would not have begun, and be a 502
    "an answer": served(JSON),
    "a long answer": served(LONG),
    "a stream": served(STREAM),
    "slow_first_byte": served(JSON, "slow_first_byte; seconds=0.3"),
    "no first byte": served(
        JSON, "slow_first_byte; seconds=900", status=504, code="upstream_timeout", ends_by_timeout=True
    ),
    "slow_frames": served(STREAM, "slow_frames; seconds=0.01"),
    "stall": served(STREAM, "stall", whole=False, ends_by_timeout=True),
    "reset": served(STREAM, "reset", status=502, code="upstream_unreachable"),
    "reset in mid-stream": served(STREAM, "reset; at_frame=9", whole=False),
    "close": served(STREAM, "close; at_frame=9", whole=False),
    "close inside a frame": served(STREAM, "close; at_byte=500", whole=False),
    "malformed_chunk": served(STREAM, "malformed_chunk; at_frame=9", whole=False),
    "malformed_json": served(STREAM, "malformed_json", says=b'data: {"choices":[{\n\n'),
    "half_character": served(
        STREAM, "half_character; at_frame=9", whole=False, added=b'data: {"choices":[{"delta":{"content":"\xe2\x82'
    ),
    "no_end": served(STREAM, "no_end", whole=False),
    "silent_truncation": served(STREAM, "silent_truncation", whole=False),
    "error_event": served(STREAM, "error_event", says=b"The server had an error"),
    "content_filter_event": served(STREAM, "content_filter_event", says=b'"finish_reason":"content_filter"'),
    "one_byte_chunks": served(STREAM, "one_byte_chunks"),
    "wrong_content_type": served(STREAM, "wrong_content_type", status=502, code="upstream_web_page"),
    "no JSON": Case(b"{", status=400, code="invalid_json"),
    "an unknown model": Case(b'{"model":"gpt-9"}', status=404, code="model_not_found"),
    "a wrong key": Case(b"{}", {"x-functions-key": "wrong"}, status=401),
    **{name: refused(name) for name in ERRORS},
}
assert set(FAULTS) < set(CASES), "a fault without an expected outcome"
