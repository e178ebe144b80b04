"""What may happen to a call in the soak, and how each such call must end."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from emulator.azure.app import FAULT_HEADER
from emulator.azure.errors import ERRORS
from emulator.azure.journal import Exchange
from emulator.azure.rules import facts_of
from emulator.tape.interaction import Interaction
from emulator.tape.route import parse
from tests.load.streams import stream_of
from tests.support import AZURE, recording

FRAMES, MS = 40, 200.0  # a stream of eight seconds
AT = 10  # the frame before which something happens to it
BROKEN = "upstream_stream_broken"
KEY = {"x-functions-key": "test-key"}


@dataclass(frozen=True)
class Answer:
    """What a caller got. `whole` when the answer ended as HTTP says it must."""

    status: int
    body: bytes
    whole: bool


@dataclass(frozen=True)
class Case:
    """One kind of call. A `whole` answer has `body`, byte for byte, or is the proxy's own error with `code`; another
    breaks off. `before` is awaited by the fake Azure ahead of its headers, `hold` ahead of frame AT."""

    status: int = 200
    recording: Interaction | None = None
    sent: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: KEY)
    body: bytes | None = None
    code: str | None = None
    whole: bool = True
    before: Callable[[Exchange], Awaitable[object]] | None = None
    hold: Callable[[Exchange], Awaitable[object]] | None = None

    @property
    def request(self) -> bytes:
        return self.sent or (self.recording.request.body if self.recording else b"")

    @property
    def ends_by_timeout(self) -> bool:
        return for_ever in (self.before, self.hold)

    @property
    def outcome(self) -> str:
        """In words, for people."""
        if self.whole:
            return f"{self.status} {self.code or 'as Azure sent it'}"
        return f"{self.status} and the connection breaks off, {BROKEN} before that where the caller is between events"

    def judge(self, got: Answer) -> None:
        """Raises AssertionError unless the call ended as it must."""
        assert (got.status, got.whole) == (self.status, self.whole), f"not {self.outcome}: {got}"
        if self.code:
            assert json.loads(got.body)["error"]["code"] == self.code, got
        elif self.whole:
            assert got.body == self.body, f"not byte for byte: {got}"
        else:
            assert self.recording
            told, _, error = got.body.partition(b'data: {"error"')
            assert self.recording.response.body.startswith(told), f"what came is not what was sent: {got}"
            assert (BROKEN.encode() in error) == (told[-2:] in (b"", b"\n\n")), f"a break that is not explained: {got}"


def for_ever(_: Exchange) -> Awaitable[object]:
    return asyncio.Event().wait()  # until the proxy has had enough


async def malformed(exchange: Exchange) -> None:
    assert exchange.connection is not None
    exchange.connection.raw(b"zz\r\n")
    await for_ever(exchange)


def stream(number: int, **response: object) -> Interaction:
    made = stream_of(number, FRAMES, MS)
    changed = dataclasses.replace(made.response, **{"frame_at_ms": made.response.frame_at_ms, **response})  # type: ignore[arg-type]
    return dataclasses.replace(made, response=changed)


def cut(number: int, size: int | None, outcome: str, **extra: object) -> Interaction:
    """A stream that ends in this way after `size` bytes, or between two frames."""
    made = stream(number)
    body = b"".join(made.response.frames()[:AT]) if size is None else made.response.body[:size]
    return stream(number, body=body, outcome=outcome, frame_at_ms=(), **extra)


def served(made: Interaction, **more: object) -> Case:
    return Case(recording=made, body=made.response.body, **more)  # type: ignore[arg-type]


def asked(number: int) -> bytes:
    return b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"%d"}]}' % number


FACTS = facts_of(parse(f"{AZURE}chat/completions"), {"model": "gpt-4o-mini"})  # what Azure repeats in its errors


def fault(name: str) -> Case:
    """An error of Azure's, which comes back as it is, except where it is about the proxy's identity."""
    error, headers = ERRORS[name], {**KEY, FAULT_HEADER: name}
    if error.status in (401, 403):
        return Case(502, sent=asked(0), headers=headers, code="upstream_authentication_error")
    return Case(error.status, sent=asked(0), headers=headers, body=error.body_for(FACTS))


CASES = {
    "an answer": served(recording(asked(1), b'{"choices":[]}')),
    "a long answer": served(recording(asked(2), b'{"choices":["%s"]}' % (b"x" * 2_000_000))),
    "a stream": served(stream(3)),
    "a stream that is reset": Case(recording=cut(4, None, "reset"), whole=False),
    "a stream cut between frames": Case(recording=cut(5, None, "truncated"), whole=False),
    "a stream cut inside a frame": Case(recording=cut(6, 500, "truncated"), whole=False),
    "a stream without its end": Case(recording=cut(7, None, "complete"), whole=False),
    "a stream that falls silent": Case(recording=stream(8), whole=False, hold=for_ever),
    "a stream with malformed chunks": Case(recording=stream(9), whole=False, hold=malformed),
    "no answer at all": Case(504, sent=asked(10), code="upstream_timeout", before=for_ever),
    "no JSON": Case(400, sent=b"{", code="invalid_json"),
    "an unknown model": Case(404, sent=b'{"model":"gpt-9"}', code="model_not_found"),
    "a wrong key": Case(401, sent=asked(0), headers={"x-functions-key": "wrong"}, body=b""),
    **{name: fault(name) for name in ERRORS},
}
