"""All stubs of a test, in order: an answerer of the fake Azure; what it says of a miss; which stubs were not used."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from ...azure.answerer import Made
from ...azure.app import FakeAzure
from ...azure.journal import Exchange
from ...azure.question import Question, question_of
from ...tape.canonical import parse_body
from .prompt import Prompt
from .stub import ORIGIN, Stub
from .wording import shown, times

REQUESTS_SHOWN = 3
NO_OBJECT = "its body is no JSON object"
REFUSED = "the request is not one that Azure would answer"
MALFORMED = (AttributeError, LookupError, TypeError, ValueError)  # what such a request raises where it is read


class Stubs:
    """`declared` are asked in order. `models` has the names by which the proxy's callers know the deployments."""

    def __init__(self, models: Mapping[str, str] | None = None) -> None:
        self.declared: list[Stub] = []
        self.models = dict(models or {})

    @contextmanager
    def answering(self, azure: FakeAzure) -> Iterator[None]:
        """Until the end, they answer before the recordings, and speak up where nothing answers."""
        existing = azure.deployments
        azure.before.append(self)
        azure.remarks.append(self.remark)
        try:
            yield
        finally:
            azure.before.remove(self)
            azure.remarks.remove(self.remark)
            azure.deployments = existing

    def __call__(self, exchange: Exchange, question: Question) -> Made | None:
        """The answer of the first stub that has one for this request."""
        prompt = self._prompt(exchange, question) if self.declared else None
        if prompt is None:
            return None
        for stub in self.declared:
            if not stub.why_not(prompt):
                try:
                    return stub.answer(prompt)
                except MALFORMED:
                    continue
        return None

    def remark(self, exchange: Exchange, question: Question) -> str:
        """Which stub comes nearest, and why it did not answer; "" where there are none."""
        if not self.declared:
            return ""
        told = [(self._why_not(stub, exchange, question), stub) for stub in self.declared]
        reasons, nearest = min(told, key=lambda pair: len(pair[0]))
        which = "The stub" if len(told) == 1 else f"None of the {len(told)} stubs answers it; the nearest"
        return f"{which} is {nearest}: {'; '.join(reasons or [REFUSED])}."

    def unused(self, exchanges: Iterable[Exchange]) -> str:
        """Which stubs answered less often than they say, what was asked instead, and what to do; "" for none."""
        unused = [stub for stub in self.declared if not stub.is_used]
        if not unused:
            return ""
        told = [line for stub in unused for line in (_count(stub), *self._instead(stub, exchanges))]
        what_to_do = "Mend what a stub waits for, take it away, or declare it with optional=True."
        return "\n".join(["Not all stubs were used:", *(f"  {line}" for line in told), what_to_do])

    def _instead(self, stub: Stub, exchanges: Iterable[Exchange]) -> Iterator[str]:
        own = {*map(id, stub.requests)}
        others = [exchange for exchange in exchanges if id(exchange) not in own]
        if not others:
            yield "  Nothing else was asked."
        for exchange in others[:REQUESTS_SHOWN]:
            question = question_of(exchange.method, exchange.target, exchange.body)
            reasons = self._why_not(stub, exchange, question) or ["another came first"]
            yield f"  {self._asked(exchange, question)}: {'; '.join(reasons)}"
        if len(others) > REQUESTS_SHOWN:
            yield f"  and {len(others) - REQUESTS_SHOWN} more"

    def _asked(self, exchange: Exchange, question: Question) -> str:
        prompt = self._prompt(exchange, question)
        words = f" {shown(prompt.user)}" if prompt and prompt.user else ""
        by = exchange.recording or ("another stub" if exchange.origin == ORIGIN else exchange.origin)
        return f"{exchange.method} {exchange.target}{words} was answered {f'by {by}' if by else exchange.status}"

    def _why_not(self, stub: Stub, exchange: Exchange, question: Question) -> list[str]:
        prompt = self._prompt(exchange, question)
        return stub.why_not(prompt) if prompt else [NO_OBJECT]

    def _prompt(self, exchange: Exchange, question: Question) -> Prompt | None:
        """None for a body that is no JSON object."""
        body = parse_body(question.body) if question.body else {}
        model = self.models.get(question.deployment or "", question.deployment)
        return Prompt(exchange, question, body, model) if isinstance(body, dict) else None


def _count(stub: Stub) -> str:
    answered = times(stub.answered) if stub.answered else "never"
    return f"{stub} answered {answered}" + (f", not {times(stub.limit)}" if stub.limit else "")
