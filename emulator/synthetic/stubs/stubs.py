"""The stubs of one test: they answer for the fake Azure, explain a miss, and name the stubs that were not used."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from ...azure.answerer import Made
from ...azure.app import FakeAzure
from ...azure.journal import Exchange
from ...azure.question import Question, question_of
from ...tape.canonical import parse_shared
from ...tape.interaction import Response
from ..asked import asked_of
from ..improvising.refusal import refusal
from .condition import ROUTES
from .prompt import Prompt
from .stub import ORIGIN, Stub
from .wording import shown, times

REQUESTS_SHOWN = 3
NO_OBJECT = "the request's body is not a JSON object"
REFUSED = "refused"  # origin of what Azure would refuse


class Stubs:
    """The first stub in `declared` that fits a request answers it. `models` maps deployments to the names that the
    proxy's callers use."""

    def __init__(self, models: Mapping[str, str] | None = None) -> None:
        self.declared: list[Stub] = []
        self.models = dict(models or {})

    @contextmanager
    def answering(self, azure: FakeAzure) -> Iterator[None]:
        """Inside the context the stubs answer before the recordings, and add a remark to each miss."""
        existing = azure.deployments
        self.join(azure)
        try:
            yield
        finally:
            self.leave(azure)
            azure.deployments = existing

    def join(self, azure: FakeAzure) -> None:
        azure.before.append(self)
        azure.after.insert(0, self.refuse)
        azure.remarks.insert(0, self.remark)  # a link to the page stays last

    def leave(self, azure: FakeAzure) -> None:
        azure.before.remove(self)
        azure.after.remove(self.refuse)
        azure.remarks.remove(self.remark)

    def __call__(self, exchange: Exchange, question: Question) -> Made | None:
        """The answer of the first stub that fits the request. None where no stub does, and where Azure refuses the
        request, unless the stub fails every request."""
        prompt = self._prompt(exchange, question) if self.declared else None
        stub = next((stub for stub in self.declared if not stub.why_not(prompt)), None) if prompt else None
        if stub is None or prompt is None:
            return None
        return None if stub.outcome.answers and self._refusal(exchange, question) else stub.answer(prompt)

    def refuse(self, exchange: Exchange, question: Question) -> Made | None:
        """Azure's 400 for a request that stubs could answer if it were made as Azure reads it."""
        refused = self._refusal(exchange, question) if self.declared else None
        return Made(refused, REFUSED) if refused else None

    def _refusal(self, exchange: Exchange, question: Question) -> Response | None:
        if question.route is None or f"{exchange.method} {question.route.operation}" not in ROUTES.values():
            return None
        return refusal(question, asked_of(question, repr(question.key)))

    def remark(self, exchange: Exchange, question: Question) -> str:
        """The nearest stub, and why it did not answer; "" where the test has no stubs."""
        if not self.declared:
            return ""
        told = [(self._why_not(stub, exchange, question), stub) for stub in self.declared]
        reasons, nearest = min(told, key=lambda pair: len(pair[0]))
        which = "The stub" if len(told) == 1 else f"None of the {len(told)} stubs fits the request; the nearest"
        return f"{which} is {nearest}: {'; '.join(reasons)}."

    def unused(self, exchanges: Iterable[Exchange]) -> str:
        """The stubs that answered too seldom, the requests that came instead, and what to do; "" where all answered."""
        unused = [stub for stub in self.declared if not stub.is_used]
        if not unused:
            return ""
        told = [line for stub in unused for line in (_count(stub), *self._instead(stub, exchanges))]
        what_to_do = "Change the stub's condition, remove the stub, or declare it with optional=True."
        return "\n".join(["The test did not use all its stubs:", *(f"  {line}" for line in told), what_to_do])

    def _instead(self, stub: Stub, exchanges: Iterable[Exchange]) -> Iterator[str]:
        own = {*map(id, stub.requests)}
        others = [exchange for exchange in exchanges if id(exchange) not in own]
        if not others:
            yield "  No other request came."
        for exchange in others[:REQUESTS_SHOWN]:
            question = question_of(exchange.method, exchange.target, exchange.body)
            reasons = self._why_not(stub, exchange, question) or ["an earlier stub answered first"]
            yield f"  {self._asked(exchange, question)}: {'; '.join(reasons)}"
        if len(others) > REQUESTS_SHOWN:
            yield f"  and {len(others) - REQUESTS_SHOWN} more"

    def _asked(self, exchange: Exchange, question: Question) -> str:
        prompt = self._prompt(exchange, question)
        words = f" {shown(prompt.user)}" if prompt and prompt.user else ""
        by = exchange.recording or ("another stub" if exchange.origin == ORIGIN else exchange.origin)
        return f"{exchange.method} {exchange.target}{words} got {f'its answer from {by}' if by else exchange.status}"

    def _why_not(self, stub: Stub, exchange: Exchange, question: Question) -> list[str]:
        prompt = self._prompt(exchange, question)
        return stub.why_not(prompt) if prompt else [NO_OBJECT]

    def _prompt(self, exchange: Exchange, question: Question) -> Prompt | None:
        """None for a body that is not a JSON object."""
        body = parse_shared(question.body) if question.body else {}
        model = self.models.get(question.deployment or "", question.deployment)
        return Prompt(exchange, question, body, model) if isinstance(body, dict) else None


def _count(stub: Stub) -> str:
    answered = times(stub.answered) if stub.answered else "never"
    return f"{stub} answered {answered}" + (f", not {times(stub.limit)}" if stub.limit else "")
