"""Asks models the doctor's questions. The first answer counts. A refused question is asked again in another way."""

import itertools
import json
import re
import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from ..tape.cassette import Response
from ..tape.frame import DONE, frames
from ..tape.interaction import sse_frames
from ..tape.usage import tokens_of
from .question import MORE, Question
from .refusal import HARMLESS, NO_DEPLOYMENT, NOT_SERVED, QUOTA, TOO_MANY, Problem, Refusal, read, require
from .wording import TOO_FEW

OF_ONE_MODEL = (NO_DEPLOYMENT, QUOTA, NOT_SERVED)  # another model may exist and has its own quota


@dataclass(frozen=True)
class Heard:
    """An answer to `asked`. `pieces` has the times at which it came, in seconds, and the bytes that had come by then.
    `doubts` has odd refusals of the models asked before. `spent` is the tokens of an earlier answer that was too
    short."""

    asked: Question
    answer: Response
    pieces: tuple[tuple[float, int], ...]
    doubts: tuple[str, ...] = ()
    spent: int = 0

    @property
    def model(self) -> str:
        return str(self.asked.body["model"])

    @property
    def tokens(self) -> int:
        return self.spent + tokens_of(self.answer).total

    @property
    def events(self) -> list[str]:
        """The data of each event. Comments, which keep a connection alive, do not count."""
        return [frame.data for frame in frames(self.answer) if frame.data]

    @property
    def seconds(self) -> float:
        """The seconds from the first event to the last."""
        parts = sse_frames(self.answer.body)
        ends = [end for end, part in zip(itertools.accumulate(map(len, parts)), parts, strict=True) if b"data:" in part]
        times = [self.pieces[bisect_left(self.pieces, end, key=lambda piece: piece[1])][0] for end in ends]
        return times[-1] - times[0] if times else 0.0

    @property
    def spoken(self) -> int:
        """The number of events with a piece of text. A model that only reasons sends none."""
        chunks = [json.loads(event) for event in self.events if event != DONE]
        deltas = [choice.get("delta") for chunk in chunks for choice in objects(chunk, "choices")]
        return sum(isinstance(delta, dict) and bool(delta.get("content")) for delta in deltas)


class Conversation:
    """Asks the models below `base_url` in this order. It remembers the limits and missing models it learns of."""

    def __init__(self, client: httpx.Client, base_url: str, models: Iterable[str]) -> None:
        self.client, self.base_url, self.models = client, base_url, list(models)
        self.most: int | None = None  # output tokens, if the administrator set a limit
        self.gone = set[str]()

    def ask(self, question: Question, models: Iterable[str] = ()) -> Heard:
        """The answer of the first model that answers. Raises Problem, and httpx's errors."""
        refusals, left = list[Refusal](), [model for model in models or self.models if model not in self.gone]
        for model in left:
            try:
                odd = [refusal.found for refusal in refusals if refusal.cause not in HARMLESS]
                return replace(self.hear(question.of(model)), doubts=tuple(odd))
            except Problem as problem:
                if len(left) > 1 and (isinstance(problem, Refusal) or problem.cause in OF_ONE_MODEL):
                    problem.found = f"{model}: {problem.found}"
                if not isinstance(problem, Refusal):
                    self.gone |= {model} if problem.cause in OF_ONE_MODEL else set()
                    raise
                refusals.append(problem)
        if not refusals:
            raise Problem("not asked: no model is left", "")
        raise next((refusal for refusal in refusals if refusal.cause not in HARMLESS), refusals[0])

    def hear(self, question: Question) -> Heard:
        """The answer of one model. After a refusal, asks in another way, if there is one."""
        question = self.allowed(question)
        try:
            return self.call(question)
        except Refusal as refusal:
            again = self.otherwise(question, refusal)
            if again == question:
                raise
            try:
                return self.hear(again)
            except Refusal as second:
                certain = refusal.cause == TOO_MANY or bool(question.blamed(refusal.text))
                raise (second if certain and refusal.cause != TOO_FEW else refusal) from None

    def allowed(self, question: Question) -> Question:
        limit = question.limit
        return question.limited(self.most) if self.most and limit and limit > self.most else question

    def otherwise(self, question: Question, refusal: Refusal) -> Question:
        """The question in a way that the model may accept."""
        if refusal.cause == TOO_MANY:
            numbers = [int(text.replace(",", "")) for text in re.findall(r"\d[\d,]*", refusal.found[3:])]
            self.most = min(numbers, default=self.most)
            return self.allowed(question)
        if refusal.cause == TOO_FEW:
            return self.allowed(question.limited(MORE))
        blamed = question.blamed(refusal.text)
        return question.older(refusal.text) if blamed or refusal.cause not in HARMLESS else question

    def call(self, question: Question) -> Heard:
        pieces, body = list[tuple[float, int]](), bytearray()
        with self.client.stream("POST", f"{self.base_url}/{question.route}", json=question.body) as answer:
            if answer.is_error:
                answer.read()
            require(answer)
            for piece in answer.iter_bytes():
                body += piece
                pieces.append((time.monotonic(), len(body)))
        headers = tuple(answer.headers.multi_items())
        heard = Heard(question, Response(answer.status_code, "", headers, bytes(body)), tuple(pieces))
        for text in [event for event in heard.events if event != DONE] if "stream" in question.body else [bytes(body)]:
            read(text)
        return heard


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """The objects in the list with this name; none when the value is no object or the member no list."""
    listed = value.get(name) if isinstance(value, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
