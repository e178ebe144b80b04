"""A request and the model's reply in their shortest form. chat.py and responses.py make the bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from ..azure.question import Question
from ..tape.cassette import Response
from .seed import Seed
from .text import compact, is_plain, pieces
from .upload import told

MODELS = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18", "gpt-5-mini": "gpt-5-mini-2025-08-07"}  # deployment: model it serves
COUNTED = 20_000  # characters up to which tokens are counted; to count those of a book takes a second
CHARACTERS_A_TOKEN = 4
SHORT = 40  # characters of a text that many requests have, such as a role or a word of a schema
REASONING = ("gpt-5", "o1", "o3", "o4")  # models that think first


@dataclass(frozen=True)
class Asked:
    """A request as it reached Azure. `operation` looks like "chat/completions" or "responses/resp_1/cancel". `body` is
    empty when there was none. `earlier` has the scenario's requests before it."""

    operation: str
    body: dict[str, Any]
    seed: Seed
    query: tuple[tuple[str, str], ...] = ()
    earlier: tuple["Asked", ...] = ()

    @property
    def deployment(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def model(self) -> str:
        return MODELS.get(self.deployment, self.deployment)

    @property
    def streams(self) -> bool:
        return self.body.get("stream") is True

    @property
    def reasons(self) -> bool:
        return self.deployment.startswith(REASONING)

    @property
    def choices(self) -> int:
        return int(self.body.get("n") or 1) if self.operation == "chat/completions" else 1

    @property
    def is_legacy(self) -> bool:
        """Whether the request offers `functions`, the form of tools until 2023, which Azure still takes."""
        return bool(self.body.get("functions")) and not self.body.get("tools")

    @property
    def pads(self) -> bool:
        """Whether the stream pads its chunks, so that their lengths do not tell their text."""
        return (self.body.get("stream_options") or {}).get("include_obfuscation") is not False

    @cached_property
    def is_plain(self) -> bool:
        """Whether the request's own numbers are quick to write (text.plain)."""
        return is_plain(self.body)

    @cached_property
    def tokens(self) -> int:
        """The prompt's tokens, estimated."""
        return 3 + _tokens_in([self.body.get(name) for name in ("messages", "input", "instructions", "tools")])


def asked_of(question: Question, seed: str) -> Asked:
    """The request as it was understood. What is null in it says nothing. Nor does a body that is neither a form nor a
    JSON object."""
    assert question.route is not None
    body = told(question.body)
    said = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else {}
    said |= {"model": question.deployment} if question.deployment else {}
    return Asked(question.route.operation, said, Seed(seed), question.route.query)


Answer = Callable[[Asked], Response]


@dataclass(frozen=True)
class Reply:
    """A model's answer. `texts` has one text for each choice; Responses has one choice. `calls` are function names and
    arguments, the same in each choice. `thought` counts the reasoning tokens, and `summary` sums them up. `cut` says
    that the token limit ended the answer, or says so for each choice. `spent` is the number of tokens where the
    request's limit decides it."""

    texts: tuple[str, ...] = ()
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    thought: int = 0
    summary: str = ""
    cut: bool | tuple[bool, ...] = False
    spent: int | None = None

    def is_cut(self, choice: int = 0) -> bool:
        return self.cut[choice] if isinstance(self.cut, tuple) else self.cut

    @property
    def tokens(self) -> int:
        """The answer's tokens, estimated, with those of reasoning."""
        if self.spent is not None:
            return self.spent
        spoken = [*self.texts, *(name + compact(arguments) for name, arguments in self.calls)]
        return self.thought + sum(len(pieces(text)) + 1 for text in spoken)


def _tokens(text: str) -> int:
    if len(text) <= SHORT:
        return _tokens_of_short(text)
    return len(pieces(text)) if len(text) <= COUNTED else len(text) // CHARACTERS_A_TOKEN


@lru_cache(4_096)
def _tokens_of_short(text: str) -> int:
    return len(pieces(text))


def _tokens_in(value: Any) -> int:
    """Of all texts; what is sent as data is none."""
    if isinstance(value, str):
        return 0 if value.startswith("data:") else _tokens(value)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return 0
    return sum(map(_tokens_in, value))
