"""One stub: what it waits for, what it answers, how often, and what it was asked."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...azure.answerer import Made
from ...azure.errors import ERRORS
from ...azure.journal import LONGEST, Exchange
from ...tape.canonical import canonical_json
from ...tape.interaction import Response
from ..asked import Asked
from ..seed import Seed
from . import form
from .condition import Condition
from .error import StubError
from .failure import error_response, fault_of
from .outcome import NOTHING, Outcome
from .prompt import Prompt
from .vectors import vectors_of
from .wording import times as in_words

ORIGIN = "stub"
UNSAID = Outcome()
EMPTY = Response(200, "OK", (), b"")


class Stub:
    """Each verb adds to the answer and gives the stub itself. `answered` counts the requests that it answered; `times`
    is None for any number; an `optional` one need not be used. Raises StubError for what can never be."""

    def __init__(self, condition: Condition, times: int | None = 1, optional: bool = False) -> None:
        if times is not None and (type(times) is not int or times < 1):
            raise StubError(f"times is {times!r}. It is a whole number from 1 on, or None (null in JSON) for any.")
        self.condition, self.times, self.optional = condition, times, bool(optional)
        self.outcome = Outcome()
        self.answered = 0
        self._requests = deque[Exchange](maxlen=LONGEST)

    @property
    def requests(self) -> list[Exchange]:
        """Those that it answered, in order: as many as the journal keeps."""
        return list(self._requests)

    def answers(self, *texts: str, json: Any = NOTHING, cut: bool = False) -> "Stub":
        """One text, the choices of `n` > 1, or a value as JSON text. `cut`: the token limit ended it."""
        if not all(isinstance(text, str) for text in texts):
            raise StubError(f"answers() takes texts, not {texts!r}. A value goes into json=.")
        if bool(texts) == (json is not NOTHING):
            raise StubError('answers() takes texts or json=, one of the two, as in .answers("It rains.").')
        try:
            canonical_json(None if json is NOTHING else json)
        except (TypeError, ValueError) as error:
            raise StubError(f"answers(json={json!r}) is no JSON.") from error
        return self._become(texts=texts, json=json, cut=cut)

    def calls(self, function: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> "Stub":
        """A function call; said again, a parallel one."""
        if not isinstance(function, str) or not function:
            raise StubError(f"calls() takes a function's name first, not {function!r}.")
        if arguments is not None and not (
            isinstance(arguments, Mapping) and all(isinstance(n, str) for n in arguments)
        ):
            raise StubError(f"calls({function!r}): arguments are named, as in {{'city': 'Oslo'}}, not {arguments!r}.")
        given = {**(arguments or {}), **named}
        try:
            canonical_json(given)
        except (TypeError, ValueError) as error:
            raise StubError(f"calls({function!r}): these arguments are no JSON: {given!r}.") from error
        return self._become(calls=(*self.outcome.calls, (function, given)))

    def thinks(self, tokens: int, summary: str = "") -> "Stub":
        """So many reasoning tokens, and what they are about, beside a text or calls."""
        if type(tokens) is not int or tokens < 0:
            raise StubError(f"thinks() takes a number of tokens, not {tokens!r}.")
        return self._become(thought=tokens, summary=summary)

    def embeds(self, *vectors: Sequence[float]) -> "Stub":
        """Vectors made of the texts, or these: one for all inputs, or one for each."""
        return self._become(vectors=vectors_of(vectors))

    def fails(self, wish: str) -> "Stub":
        """As azure/faults.py lists it. Beside an answer, the fault's `times` count failures that come before it."""
        fault = fault_of(wish, self.outcome.answers)
        if fault.times is not None and not self.outcome.answers and self.times not in (1, fault.times):
            raise StubError(f"times is {self.times} and {fault.times}: say it in one place.")
        return self._become(fault=fault)

    def _become(self, **more: Any) -> "Stub":
        if twice := [name for name in more if name != "calls" and getattr(self.outcome, name) != getattr(UNSAID, name)]:
            raise StubError(f"{self} has its {twice[0]} already. Declare a second stub for the next request.")
        became = replace(self.outcome, **more)
        if became.vectors is not None and became.says:
            raise StubError("A stub has vectors, or texts and calls: not both.")
        operations = became.operations
        asked_there = self.condition.operation
        if asked_there and asked_there not in operations:
            raise StubError(
                f"on({self.condition}) waits for {asked_there}, and this is an answer to {' or '.join(operations)}."
            )
        self.outcome = became
        return self

    @property
    def limit(self) -> int | None:
        """How many requests it answers; None: any number."""
        failures = self.outcome.fault.times if self.outcome.fault else None
        if not self.outcome.answers:
            return failures or self.times
        return None if self.times is None else self.times + (failures or 0)

    @property
    def is_used(self) -> bool:
        """As often as it says; an optional one however often."""
        return self.optional or self.answered >= (self.limit or 1)

    def why_not(self, prompt: Prompt) -> list[str]:
        """What keeps it from answering a request."""
        if not self.outcome.answers and not self.outcome.fault:
            return ["it has no answer yet: add .answers(…), .calls(…), .embeds() or .fails(…)"]
        reasons = self.condition.why_not(prompt)
        if not self.condition.route and prompt.operation not in self.outcome.operations:
            reasons.insert(0, f"the request is {prompt.operation}")
        elif not reasons:
            reasons += self.outcome.why_not(prompt)
        if self.limit and self.answered >= self.limit:
            done = in_words(self.answered)
            reasons.append(f"it has answered {done} already; times=… says how often it may")
        return reasons

    def answer(self, prompt: Prompt) -> Made:
        """The same bytes for the same request. Raises whatever a request raises that is not made as Azure reads it."""
        fault = self.outcome.fault
        if fault and fault.times is not None and self.answered >= fault.times:
            fault = None
        if fault and fault.name in ERRORS:
            made = Made(error_response(fault, prompt), ORIGIN)
        else:
            made = Made(self._response(prompt), ORIGIN, fault)
        if fault:
            prompt.exchange.fault = str(fault)
        self.answered += 1
        self._requests.append(prompt.exchange)
        return made

    def _response(self, prompt: Prompt) -> Response:
        route, deployment = prompt.question.route, prompt.question.deployment
        if not self.outcome.answers or route is None:
            return EMPTY
        said = {name: value for name, value in prompt.body.items() if value is not None} | {"model": deployment or ""}
        asked = Asked(route.operation, said, Seed(f"{prompt.question.key!r} {self}"), route.query)
        return self.outcome.response(asked, prompt)

    def __str__(self) -> str:
        return form.sentence(self)

    __repr__ = __str__

    @classmethod
    def from_json(cls, told: Any) -> "Stub":
        """From the form in docs/stubs.md. Raises StubError, which names the part that is wrong."""
        return form.read(cls, told)

    def as_json(self) -> dict[str, Any]:
        """Raises StubError for a predicate."""
        return form.write(self)
