"""What a recording may cost: requests and tokens, counted before a call is made and after it."""

from dataclasses import dataclass

from .canonical import parse_body
from .cassette import Request

BYTES_PER_TOKEN = 3  # English has about 4, JSON and other languages fewer
UNNAMED_OUTPUT_TOKENS = 1_000  # what a call may well answer that names no limit
OUTPUT_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


class BudgetSpent(Exception):
    """The message says which budget, and its option."""


@dataclass(frozen=True)
class Spent:
    """`dollars` is an estimate, without the models that have no list price."""

    requests: int = 0
    tokens: int = 0
    dollars: float = 0.0

    def __str__(self) -> str:
        return f"{self.requests:,} requests, {self.tokens:,} tokens, about ${self.dollars:.4f}"


@dataclass(frozen=True)
class Budget:
    """What a run may spend; None: no limit."""

    requests: int | None = None
    tokens: int | None = None

    def refusal(self, spent: Spent, expected_tokens: int) -> str | None:
        """Why one more call could go beyond the budget, or None."""
        if self.requests is not None and spent.requests >= self.requests:
            return f"{spent.requests:,} requests went to the live service, and no more may (--max-requests)."
        if self.tokens is not None and spent.tokens + expected_tokens > self.tokens:
            return (
                f"This call may use {expected_tokens:,} tokens, and {spent.tokens:,} of {self.tokens:,} are used "
                "(--max-tokens). A call that names a limit of its own, such as max_completion_tokens, counts less."
            )
        return None


def expected_tokens(request: Request) -> int:
    """About the most that a call will use. Images and files count as the text that they are sent as."""
    if request.method != "POST":
        return 0
    parsed = parse_body(request.body)
    numbers = {name: value for name, value in parsed.items() if type(value) is int} if isinstance(parsed, dict) else {}
    limit = next((numbers[name] for name in OUTPUT_LIMITS if name in numbers), UNNAMED_OUTPUT_TOKENS)
    answers = 0 if "embeddings" in request.uri else limit * numbers.get("n", 1)
    return len(request.body) // BYTES_PER_TOKEN + answers
