"""The outcome of a stub: text, calls, thinking or vectors, and the fault that breaks them."""

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
    """`texts` has one text for each choice. `json` is a value that becomes the text. `vectors` has one vector for all
    inputs or one for each; where it is empty, the inputs' texts give the vectors. `fault` breaks the answer, or stands
    in its place."""

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
        """Whether the outcome has text or calls."""
        return bool(self.texts or self.calls or self.json is not NOTHING)

    @property
    def answers(self) -> bool:
        """Whether the outcome has an answer of its own, which a fault may break."""
        return self.says or self.vectors is not None

    @property
    def operations(self) -> tuple[str, ...]:
        """The routes that can have this answer."""
        if self.vectors is not None:
            return (ROUTES["embeddings"],)
        if not self.says:
            return tuple(ROUTES.values())
        return (ROUTES["chat"],) if len(self.texts) > 1 else (ROUTES["chat"], ROUTES["responses"])

    def why_not(self, prompt: Prompt) -> list[str]:
        """Why this cannot be the answer to the request. The route is not checked here."""
        reasons = why_not(self.vectors or (), prompt)
        if len(self.texts) not in (0, 1, prompt.choices):
            reasons.append(f"the stub has {len(self.texts)} choices, the request asks for {prompt.choices}")
        if unknown := [name for name, _ in self.calls if name not in prompt.functions]:
            offered = f"only {', '.join(prompt.functions)}" if prompt.functions else "no functions"
            reasons.append(f"the stub calls {unknown[0]}, the request offers {offered}")
        if len(self.calls) > 1 and not prompt.takes_parallel_calls:
            reasons.append("the stub has parallel calls, which the request forbids")
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
