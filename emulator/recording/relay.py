"""The fake Azure while it records. It sends requests without a recording to the live service, and keeps the answers.

    client ─▶ the proxy, as in every test ─▶ RecordingAzure ─▶ live Azure OpenAI
                                              └─▶ Recorder ─▶ cassettes/

Each piece of an answer goes to the client first and to the tape second.
"""

import asyncio
import time
from dataclasses import replace

import httpx

from ..azure.answerer import first
from ..azure.app import FakeAzure
from ..azure.asgi import Send, head
from ..azure.delivery import break_off
from ..azure.journal import Exchange
from ..azure.plan import NOT_REPLAYED
from ..azure.question import Question, question_of
from ..match.library import Library
from ..tape.canonical import Key
from ..tape.cassette import COMPLETE, CassetteError, Request, Response, sse_frames
from .budget import BudgetSpent
from .live import Live, LiveError, pause_of
from .recorder import Place, Recorder
from .sendable import RecordingRefused

LONGEST_PAUSE_SECONDS = 150.0  # for all 429s of one call; the proxy waits 225 s for an answer
LAST_BYTES_SECONDS = 0.5  # for the end of a stream, because the OpenAI SDK leaves at its last event


class RecordingAzure(FakeAzure):
    """`library` answers the requests that the recorder's mode does not send to `live`."""

    records = True

    def __init__(self, library: Library, recorder: Recorder, live: Live, time_scale: float = 0.0) -> None:
        super().__init__(library, time_scale)
        self.recorder, self.live = recorder, live
        self.deployments = frozenset()  # the live service decides which deployments exist

    async def answer(self, exchange: Exchange, send: Send) -> None:
        question = question_of(exchange.method, exchange.target, exchange.body)
        exchange.question, key = question, question.key
        if key is None or self.unauthorized(exchange) or self.fault_for(exchange):
            await super().answer(exchange, send)
            return
        if made := first(self.before, exchange, question):
            await self.play_made(made, exchange, send, None, {})
            return
        await self.answer_or_ask(question, key, exchange, send)

    async def answer_or_ask(self, question: Question, key: Key, exchange: Exchange, send: Send) -> None:
        if self.recorder.asks_live(recorded=self.library.has(key, question.body)):
            await self.ask_live(exchange, send)
        else:
            await self.answer_from_tape(exchange, send)

    async def answer_from_tape(self, exchange: Exchange, send: Send) -> None:
        await super().answer(exchange, send)

    async def ask_live(self, exchange: Exchange, send: Send) -> None:
        request = Request(exchange.method, self.live.base + exchange.target, exchange.headers, exchange.body)
        try:
            place = self.recorder.start(request)
        except (BudgetSpent, RecordingRefused, CassetteError) as refused:
            await self.send_miss(str(refused), "not_recorded", exchange, send)
            return
        await self.record(place, request, exchange, send)

    async def record(self, place: Place, request: Request, exchange: Exchange, send: Send) -> None:
        """Ask the live service, pass its answer on, and keep it. A broken answer is passed on and kept as broken."""
        try:
            answered = await self.ask(request, exchange)
        except (httpx.HTTPError, LiveError) as failure:
            self.recorder.end(place, request, None)
            why = str(failure) or type(failure).__name__
            await self.send_miss(f"The live service could not be asked: {why}", "not_recorded", exchange, send)
            return
        except asyncio.CancelledError:
            self.recorder.end(place, request, None)
            raise
        exchange.status, exchange.recording = answered.status_code, f"live, for {self.recorder.name}"
        tape = Tape(answered)
        try:
            await self.relay(answered, tape, exchange, send)
        except asyncio.CancelledError:
            tape.outcome = COMPLETE if await tape.has_ended() else "client_cancelled"
            raise
        except httpx.HTTPError as failure:
            tape.outcome = "truncated" if isinstance(failure, httpx.RemoteProtocolError) else "reset"
            await break_off(tape.outcome, exchange)
        finally:
            self.keep(place, request, tape.response(), exchange)
            await tape.close()

    def keep(self, place: Place, request: Request, answer: Response, exchange: Exchange) -> None:
        def refused(why: str) -> None:
            if answer.status < 400:
                exchange.miss = f"This answer could not be kept. {why}"

        self.recorder.end(place, request, answer, refused)

    async def ask(self, request: Request, exchange: Exchange) -> httpx.Response:
        """The live answer. It waits a rate limit out, unless errors are to be recorded."""
        waited = 0.0
        while True:
            answered = await self.live.ask(request.method, exchange.target, exchange.headers, exchange.body)
            pause = pause_of(answered)
            if answered.status_code != 429 or self.recorder.keep_errors or waited + pause > LONGEST_PAUSE_SECONDS:
                return answered
            await answered.aclose()
            self.recorder.say(f"rate limit: waiting {pause:g} s, then asking again for {self.recorder.name}")
            await asyncio.sleep(pause)
            waited += pause

    async def relay(self, answered: httpx.Response, tape: "Tape", exchange: Exchange, send: Send) -> None:
        headers = [(name, value) for name, value in raw_headers(answered) if name.lower() not in NOT_REPLAYED]
        if length := answered.headers.get("content-length"):
            headers.append(("content-length", length))
        await send(head(answered.status_code, headers))
        exchange.sent_headers = tuple(headers)
        exchange.sending = sending = list[bytes]()
        tape.started = time.monotonic()
        while (piece := await tape.next()) is not None:
            sending.append(piece)
            self.journal.sent(exchange)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            tape.keep(piece)
        await send({"type": "http.response.body", "body": b""})


class Tape:
    """The pieces of one answer and their times. Cancelling the task that waits for a piece does not lose the piece."""

    def __init__(self, answered: httpx.Response) -> None:
        self.answered, self.outcome, self.started = answered, COMPLETE, time.monotonic()
        self.pieces: list[bytes] = []
        self.at_ms: list[float] = []
        self._arriving = answered.aiter_raw()
        self._next: asyncio.Future[bytes | None] | None = None
        self._came = 0.0

    async def next(self) -> bytes | None:
        """The next piece, or None at the end. Raises httpx.HTTPError when the answer breaks off."""
        self._next = asyncio.ensure_future(anext(self._arriving, None))
        piece = await asyncio.shield(self._next)
        self._came = time.monotonic()
        return piece

    def keep(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.at_ms.append(float(round(1000 * (self._came - self.started))))

    async def has_ended(self) -> bool:
        """Whether only the end was missing."""
        if self._next is None:
            return False
        await asyncio.wait([self._next], timeout=LAST_BYTES_SECONDS)
        return self._next.done() and not self._next.exception() and self._next.result() is None

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self.answered.aclose()

    def response(self) -> Response:
        answered, body = self.answered, b"".join(self.pieces)
        made = Response(answered.status_code, answered.reason_phrase, raw_headers(answered), body, outcome=self.outcome)
        if not (made.is_stream or (made.is_played and len(self.pieces) > 1)):
            return made
        usual = sse_frames(body) if made.is_stream else [body]
        sizes = tuple(map(len, self.pieces)) if self.pieces != usual else ()
        return replace(made, frame_at_ms=tuple(self.at_ms), frame_bytes=sizes)


def raw_headers(answered: httpx.Response) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answered.headers.raw)
