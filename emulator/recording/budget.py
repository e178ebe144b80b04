"""The budget of a recording: requests and tokens, counted before each call and after it."""

from dataclasses import dataclass

from ..tape.canonical import deployment_of, parse_body
from ..tape.estimate import expected_tokens
from ..tape.interaction import Request, Response
from ..tape.route import parse
from ..tape.usage import cost, tokens_of


class BudgetSpent(Exception):
    """The message names the budget and its option."""


@dataclass(frozen=True)
class Spent:
    """`dollars` is an estimate. It leaves out models without a list price."""

    requests: int = 0
    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.requests + other.requests, self.tokens + other.tokens, self.dollars + other.dollars)

    def __str__(self) -> str:
        plural = "s" * (self.requests != 1)
        return f"{self.requests:,} request{plural}, {self.tokens:,} tokens, about ${self.dollars:.4f}"


@dataclass(frozen=True)
class Budget:
    """The limits of a run. None means no limit."""

    requests: int | None = None
    tokens: int | None = None

    @property
    def is_limited(self) -> bool:
        return self.requests is not None or self.tokens is not None

    def refusal(self, spent: Spent, expected_tokens: int) -> str | None:
        """The reason why one more call could exceed the budget, or None."""
        if self.requests is not None and spent.requests >= self.requests:
            return f"The run has made its {self.requests:,} requests to the live service (--max-requests)."
        if self.tokens is not None and spent.tokens + expected_tokens > self.tokens:
            return (
                f"This call may use {expected_tokens:,} tokens, and {spent.tokens:,} of {self.tokens:,} are used "
                "(--max-tokens). A call with its own limit, such as max_completion_tokens, counts less."
            )
        return None


def used(request: Request, response: Response) -> Spent:
    """The tokens that a call used. For a stream that does not say, the expected ones."""
    told, route = tokens_of(response), parse(request.uri)
    model = deployment_of(route, parse_body(request.body)) if route else None
    tokens = told.total or (expected_tokens(request) if response.status < 400 else 0)
    return Spent(1, tokens, cost(model or "", told) or 0.0)
