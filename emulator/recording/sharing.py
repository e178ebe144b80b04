"""Gives one live answer to all equal requests: 30 people run the same notebook, and each question costs once."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..azure.answerer import ORIGIN_HEADER
from ..azure.asgi import Send
from ..azure.journal import Exchange
from ..azure.question import Question, question_of
from ..match.library import Take
from ..match.slack import NONE
from ..tape.canonical import Key, parse_body
from ..tape.cassette import COMPLETE, Interaction, Request, Response
from .budget import Spent, used
from .recorder import Place
from .relay import RecordingAzure

SHARED = ("chat/completions", "embeddings", "responses")  # operations whose answers are shared
ORIGIN = "tape"  # the value of ORIGIN_HEADER on a shared answer


class SharingAzure(RecordingAzure):
    """Plays an answer again once the recorder has kept it. `saved` counts what the played answers would have used.

    A request that equals one under way waits for the end of that answer. If the first caller leaves before the end, the
    next one asks in its place. The recorder does not keep an error or an answer with a secret: then each waiting caller
    asks for itself."""

    saved = Spent()
    slack = NONE  # the slack of new answers

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.under_way: dict[Key, asyncio.Future[bool]] = {}
        self.tasks: set[asyncio.Future[None]] = set()
        self.recorder.told_of = self.play_from_now_on

    async def answer_or_ask(self, question: Question, key: Key, exchange: Exchange, send: Send) -> None:
        if not is_shared(question):
            await super().answer_or_ask(question, key, exchange, send)
            return
        while not self.library.has(key, question.body) and (other := self.under_way.get(key)):
            if await asyncio.shield(other) and not self.library.has(key, question.body):
                await self.ask_live(exchange, send)
                return
        if not self.recorder.asks_live(recorded=self.library.has(key, question.body)):
            await self.answer_from_tape(exchange, send)
            return
        over, ended = asyncio.get_running_loop().create_future(), False
        self.under_way[key] = over
        try:
            await self.ask_live(exchange, send)
            ended = True
        finally:  # even where the caller has left: the OpenAI SDK leaves a stream at its last event
            self.go_on(self.end_turn(key, over, ended))

    async def end_turn(self, key: Key, over: "asyncio.Future[bool]", ended: bool) -> None:
        try:
            await asyncio.to_thread(self.recorder.settle)
        finally:
            del self.under_way[key]
            over.set_result(ended)

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs the work in a task of its own, which goes on when the caller leaves."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def play_from_now_on(self, kept: Interaction) -> None:
        if is_shared(question_of(kept.request.method, kept.request.uri, kept.request.body)):
            self.library.add(kept, self.slack)

    def keep(self, place: Place, request: Request, answer: Response, exchange: Exchange) -> None:
        if answer.outcome == COMPLETE:
            super().keep(place, request, answer, exchange)
        else:  # a part of an answer helps no other caller
            self.recorder.end(place, request, None)

    async def play(self, take: Take, exchange: Exchange, send: Send, fault: Any, left: dict[str, str]) -> None:
        if exchange.question and is_shared(exchange.question):
            self.saved += used(take.interaction.request, take.interaction.response)
            left = left | {ORIGIN_HEADER: ORIGIN}
        await super().play(take, exchange, send, fault, left)


def is_shared(question: Question) -> bool:
    """Whether one answer serves all equal requests. A background job's does not: its status changes."""
    if question.route is None or question.route.operation not in SHARED or question.key is None:
        return False
    parsed = parse_body(question.body)
    return question.key.method == "POST" and not (isinstance(parsed, dict) and parsed.get("background"))


def told(saved: Spent, spent: Spent) -> str:
    """A line that says what the tape has saved."""
    calls, tokens = saved.requests + spent.requests, saved.tokens + spent.tokens
    return (
        f"from the tape: {saved.requests:,} of {calls:,} calls, {saved.tokens:,} tokens "
        f"({saved.tokens / tokens if tokens else 0:.0%}), about ${saved.dollars:.4f}"
    )
