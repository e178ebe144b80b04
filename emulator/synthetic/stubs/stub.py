"""One stub: its condition, its answer, how often it answers, and the requests that it has answered."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...azure.answerer import Made
from ...azure.errors import ERRORS
from ...azure.journal import LONGEST, Exchange
from ...tape.canonical import canonical_json
from ...tape.interaction import Response
from ..asked import asked_of
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
    """Each verb adds to the answer and returns the stub. `answered` counts the requests that the stub has answered.
    `times` is None for any number of requests. A test may leave an `optional` stub unused. The verbs raise StubError
    for an answer that no request can have."""

    def __init__(self, condition: Condition, times: int | None = 1, optional: bool = False) -> None:
        if times is not None and (type(times) is not int or times < 1):
            raise StubError(f"times must be a whole number from 1, or None (null in JSON) for any, not {times!r}.")
        self.condition, self.times, self.optional = condition, times, bool(optional)
        self.outcome = Outcome()
        self.answered = 0
        self._requests = deque[Exchange](maxlen=LONGEST)

    @property
    def requests(self) -> list[Exchange]:
        """The requests that the stub has answered, in order: at most as many as the journal keeps."""
        return list(self._requests)

    def answers(self, *texts: str, json: Any = NOTHING, cut: bool = False) -> "Stub":
        """Answers with one text, with several as the choices of `n` > 1, or with `json` as text. `cut` says that the
        token limit ended the text."""
        if not all(isinstance(text, str) for text in texts):
            raise StubError(f"answers() takes texts, not {texts!r}. Put a value into json=.")
        if bool(texts) == (json is not NOTHING):
            raise StubError('answers() takes either texts or json=, as in .answers("It rains.").')
        try:
            canonical_json(None if json is NOTHING else json)
        except (TypeError, ValueError) as error:
            raise StubError(f"answers() takes JSON in json=, not {json!r}.") from error
        return self._become(texts=texts, json=json, cut=cut)

    def calls(self, function: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> "Stub":
        """Calls a function. A second use adds a parallel call."""
        if not isinstance(function, str) or not function:
            raise StubError(f"calls() takes a function's name first, not {function!r}.")
        if arguments is not None and not (
            isinstance(arguments, Mapping) and all(isinstance(n, str) for n in arguments)
        ):
            raise StubError(f"calls({function!r}) takes named arguments, as in {{'city': 'Oslo'}}, not {arguments!r}.")
        given = {**(arguments or {}), **named}
        try:
            canonical_json(given)
        except (TypeError, ValueError) as error:
            raise StubError(f"calls({function!r}) takes arguments in JSON, not {given!r}.") from error
        return self._become(calls=(*self.outcome.calls, (function, given)))

    def thinks(self, tokens: int, summary: str = "") -> "Stub":
        """Adds so many reasoning tokens, and a summary of them, to a text or to calls."""
        if type(tokens) is not int or tokens < 0:
            raise StubError(f"thinks() takes a number of tokens, not {tokens!r}.")
        return self._become(thought=tokens, summary=summary)

    def embeds(self, *vectors: Sequence[float]) -> "Stub":
        """Answers with these vectors, one for all inputs or one for each; without any, with vectors of the inputs'
        texts."""
        return self._become(vectors=vectors_of(vectors))

    def fails(self, wish: str) -> "Stub":
        """Fails with a fault of azure/faults.py. Where the stub has an answer too, the first `times` requests fail and
        the later ones get the answer."""
        fault = fault_of(wish, self.outcome.answers)
        if fault.times is not None and not self.outcome.answers and self.times not in (1, fault.times):
            raise StubError(f"times is {self.times} for the stub and {fault.times} for its fault. Leave out one.")
        return self._become(fault=fault)

    def _become(self, **more: Any) -> "Stub":
        if twice := [name for name in more if name != "calls" and getattr(self.outcome, name) != getattr(UNSAID, name)]:
            raise StubError(f"{self} has {twice[0]} already. Declare a second stub for the next request.")
        became = replace(self.outcome, **more)
        if became.vectors is not None and became.says:
            raise StubError("A stub cannot have both vectors and texts or calls. Declare two stubs.")
        operations = became.operations
        asked_there = self.condition.operation
        if asked_there and asked_there not in operations:
            raise StubError(
                f"on({self.condition}) waits for {asked_there}, but its answer fits {' or '.join(operations)} only."
            )
        self.outcome = became
        return self

    @property
    def limit(self) -> int | None:
        """How many requests the stub answers, failures among them; None for any number."""
        failures = self.outcome.fault.times if self.outcome.fault else None
        if not self.outcome.answers:
            return failures or self.times
        return None if self.times is None else self.times + (failures or 0)

    @property
    def is_used(self) -> bool:
        """Whether the stub has answered as often as it must. An optional stub need not answer."""
        return self.optional or self.answered >= (self.limit or 1)

    def why_not(self, prompt: Prompt) -> list[str]:
        """Why the stub does not answer this request; nothing where it does."""
        if not self.outcome.answers and not self.outcome.fault:
            return ["the stub has no answer yet: add .answers(…), .calls(…), .embeds() or .fails(…)"]
        reasons = self.condition.why_not(prompt)
        if not self.condition.route and prompt.operation not in self.outcome.operations:
            reasons.insert(0, f"the request is {prompt.operation}")
        elif not reasons:
            reasons += self.outcome.why_not(prompt)
        if self.limit and self.answered >= self.limit:
            done = in_words(self.answered)
            reasons.append(f"the stub has answered {done} already; times=… lets it answer more often")
        return reasons

    def answer(self, prompt: Prompt) -> Made:
        """The same request gets the same bytes. Azure must not refuse the request (improvising/refusal.py)."""
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
        if not self.outcome.answers:
            return EMPTY
        return self.outcome.response(asked_of(prompt.question, f"{prompt.question.key!r} {self}"), prompt)

    def __str__(self) -> str:
        return form.sentence(self)

    __repr__ = __str__

    @classmethod
    def from_json(cls, told: Any) -> "Stub":
        """The stub in the JSON of docs/stubs.md. Raises StubError, which names the part that is wrong."""
        return form.read(cls, told)

    def as_json(self) -> dict[str, Any]:
        """Raises StubError where the condition has a function in `where`."""
        return form.write(self)
