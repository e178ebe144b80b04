"""The doctor's questions to a model, and their forms for a lower limit or an older api-version."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORD, COUNT = "Reply with the word ready.", "Count from 1 to 30, with commas."
MORE = 2_000  # tokens: a reasoning model may use up a smaller limit before it writes a word
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
OLDER = {  # members unknown to older api-versions: their names in a refusal, and the older name
    "stream_options": (r"stream_?options|include_?usage", None),
    "max_completion_tokens": (r"max_?completion_?tokens", "max_tokens"),
}


@dataclass(frozen=True)
class Question:
    """`route` is below the base URL."""

    route: str
    body: Mapping[str, Any]

    def of(self, model: str) -> "Question":
        return Question(self.route, {"model": model, **self.body})

    @property
    def limit(self) -> int | None:
        """The limit in tokens; None where the route has none."""
        return next((self.body[name] for name in LIMITS if name in self.body), None)

    def limited(self, tokens: int) -> "Question":
        return Question(self.route, {name: tokens if name in LIMITS else value for name, value in self.body.items()})

    def blamed(self, text: str) -> set[str]:
        """The members in OLDER that a refusal names."""
        return {name for name, (named, _) in OLDER.items() if name in self.body and re.search(named, text, re.I)}

    def older(self, text: str) -> "Question":
        """The question without the members that a refusal names. When it names none, without the first of OLDER."""
        refused = self.blamed(text) or [name for name in OLDER if name in self.body][:1]
        names = {name: OLDER[name][1] for name in refused}
        body = {names.get(name, name): value for name, value in self.body.items()}
        return Question(self.route, {name: value for name, value in body.items() if name})


CHAT = Question("chat/completions", {"messages": [{"role": "user", "content": WORD}], "max_completion_tokens": 16})
STREAM = Question(
    "chat/completions",
    {
        "messages": [{"role": "user", "content": COUNT}],
        "max_completion_tokens": 120,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
)
RESPONSES = Question("responses", {"input": WORD, "max_output_tokens": 16, "store": False})
VECTORS = Question("embeddings", {"input": WORD})
