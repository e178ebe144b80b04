"""The tokens that a recorded answer used, and an estimate of their cost in US dollars at list prices."""

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from .cassette import Response
from .frame import frames

USAGE = re.compile(rb'"usage"\s*:\s*\{')  # most frames of a stream have none, or null


@dataclass(frozen=True)
class Tokens:
    """`input` includes `cached`, and `output` includes `reasoning`. Add several up with `sum(…, Tokens())`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
        )

    @property
    def total(self) -> int:
        return self.input + self.output


def tokens_of(response: Response) -> Tokens:
    """The tokens of an answer of chat, Responses or embeddings. The last usage in a stream counts. All are 0 when the
    answer has no usage: a refusal, a chat stream without `include_usage`, a stream that broke off."""
    if not USAGE.search(response.body):
        return Tokens()
    texts = (
        [frame.data for frame in frames(response)] if response.is_stream else [response.body.decode("utf-8", "replace")]
    )
    return next((tokens for tokens in map(_told, reversed(texts)) if tokens), Tokens())


def _told(text: str) -> Tokens | None:
    """The usage in an answer, in a chunk, or in the response inside an event."""
    if '"usage"' not in text:
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    usage = _object(told, "usage") or _object(_object(told, "response"), "usage")
    if not usage:
        return None
    return Tokens(
        _count(usage, "prompt_tokens", "input_tokens"),
        _count(usage, "completion_tokens", "output_tokens"),
        _count(_object(usage, "prompt_tokens_details") or _object(usage, "input_tokens_details"), "cached_tokens"),
        _count(
            _object(usage, "completion_tokens_details") or _object(usage, "output_tokens_details"), "reasoning_tokens"
        ),
    )


def _object(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _count(value: dict[str, Any], *names: str) -> int:
    return next((value[name] for name in names if type(value.get(name)) is int), 0)


class Price(NamedTuple):
    """US dollars per million tokens."""

    input: float
    cached: float
    output: float


PRICED = "Azure list prices, pay as you go, East US, as litellm 1.106.2 has them, read 2026-11-23"
PRICES = {  # models without an entry get no estimate
    "gpt-4.1": Price(2.00, 0.50, 8.00),
    "gpt-4.1-mini": Price(0.40, 0.10, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.025, 0.40),
    "gpt-4o": Price(2.50, 1.25, 10.00),
    "gpt-4o-2024-05-13": Price(5.00, 5.00, 15.00),
    "gpt-4o-mini": Price(0.15, 0.075, 0.60),
    "gpt-5": Price(1.25, 0.125, 10.00),
    "gpt-5-mini": Price(0.25, 0.025, 2.00),
    "gpt-5-nano": Price(0.05, 0.005, 0.40),
    "gpt-5.1": Price(1.25, 0.125, 10.00),
    "gpt-5.2": Price(1.75, 0.175, 14.00),
    "gpt-5.4": Price(2.50, 0.25, 15.00),
    "gpt-5.4-mini": Price(0.75, 0.075, 4.50),
    "gpt-5.4-nano": Price(0.20, 0.02, 1.25),
    "text-embedding-3-large": Price(0.143, 0.143, 0),
    "text-embedding-3-small": Price(0.022, 0.022, 0),
    "text-embedding-ada-002": Price(0.11, 0.11, 0),
}
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # of a model's version, as in gpt-4o-mini-2024-07-18


def cost(model: str, tokens: Tokens) -> float | None:
    """An estimate in US dollars; None for a model that PRICES does not have. `model` is the served model, or a
    deployment with the name of its model."""
    price = PRICES.get(model) or PRICES.get(_DATE.sub("", model))
    if price is None:
        return None
    fresh = tokens.input - tokens.cached
    return (fresh * price.input + tokens.cached * price.cached + tokens.output * price.output) / 1_000_000
