"""What a stub answers: text, calls, thinking, vectors, and what goes wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...azure.faults import Fault
from ...tape.interaction import Response
from .. import embeddings
from ..answer import FORMATS
from ..asked import Asked, Reply
from ..text import compact
from .condition import ROUTES
from .prompt import Prompt
from .vectors import Vectors, why_not, with_vectors

NOTHING: Any = object()
Call = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """`texts` are the choices; `json` is a value, told as the text; `vectors` are one for all inputs, or one for each;
    empty: they are made of the texts. `fault` breaks the answer, or replaces it."""

    texts: tuple[str, ...] = ()
    json: Any = NOTHING
    calls: tuple[Call, ...] = ()
    thought: int = 0
    summary: str = ""
    cut: bool = False
    vectors: Vectors | None = None
    fault: Fault | None = None

    @property
    def says(self) -> bool:
        """Whether it has text or calls."""
        return bool(self.texts or self.calls or self.json is not NOTHING)

    @property
    def answers(self) -> bool:
        """Whether there is an answer, broken or not, besides what the fault alone sends."""
        return self.says or self.vectors is not None

    @property
    def operations(self) -> tuple[str, ...]:
        """Where this can be the answer."""
        if self.vectors is not None:
            return (ROUTES["embeddings"],)
        if not self.says:
            return tuple(ROUTES.values())
        return (ROUTES["chat"],) if len(self.texts) > 1 else (ROUTES["chat"], ROUTES["responses"])

    def why_not(self, prompt: Prompt) -> list[str]:
        """What makes this impossible as the answer to a request, besides its route."""
        reasons = why_not(self.vectors or (), prompt)
        if len(self.texts) not in (0, 1, prompt.choices):
            reasons.append(f"it has {len(self.texts)} choices, the request asks for {prompt.choices}")
        if unknown := [name for name, _ in self.calls if name not in prompt.functions]:
            offered = f"only {', '.join(prompt.functions)}" if prompt.functions else "no functions"
            reasons.append(f"it calls {unknown[0]}, the request offers {offered}")
        if len(self.calls) > 1 and not prompt.takes_parallel_calls:
            reasons.append("it has parallel calls, which the request forbids")
        return reasons

    def response(self, asked: Asked, prompt: Prompt) -> Response:
        if self.vectors is not None:
            made = embeddings.response(asked)
            as_base64 = asked.body.get("encoding_format") == "base64"
            return with_vectors(made, self.vectors, as_base64) if self.vectors else made
        texts = self.texts or (() if self.json is NOTHING else (compact(self.json),))
        texts = texts * prompt.choices if len(texts) == 1 and asked.operation == "chat/completions" else texts
        calls = tuple((name, dict(arguments)) for name, arguments in self.calls)
        return FORMATS[asked.operation](asked, Reply(texts, calls, self.thought, self.summary, self.cut))
