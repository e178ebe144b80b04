"""What a test sees of the emulator: the fixture `aoai_emulator`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .azure import expect
from .azure.journal import Exchange
from .azure.limits import Limits
from .stack import LocalStack

if TYPE_CHECKING:
    import httpx


class Emulator:
    """`requests` that reached the fake Azure, `unmatched` ones, and the stack itself."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.azure = stack.azure

    @property
    def requests(self) -> list[Exchange]:
        return self.azure.journal.exchanges

    def fault(self, wish: str) -> None:
        """Until the end of the test: what goes wrong, as azure/faults.py lists it. Raises FaultError."""
        self.azure.misbehave(wish)

    def limit(self, requests: int | None = None, tokens: int | None = None, time_scale: float = 1.0) -> None:
        """Until the end of the test: a deployment's rate limits, per minute of a clock that runs `time_scale` fast."""
        self.azure.limits = Limits(requests, tokens, time_scale)

    def assert_streamed(self, received_at: Sequence[float], max_lag_ms: float, request: int = -1) -> None:
        """See azure/expect.py; `request` is one of `requests`, the last unless told."""
        expect.streamed(self.requests[request], received_at, max_lag_ms)

    def assert_transparent(self, response: "httpx.Response", request: int = -1) -> None:
        """What a client got (`client.chat.completions.with_raw_response.create(…).http_response`) is what was sent."""
        expect.transparent(
            self.requests[request], response.status_code, response.headers.multi_items(), response.content
        )

    def assert_all_played(self, *names: str) -> None:
        """Every recording of these cassettes was played in this test."""
        labels = [interaction.label for interaction in self.stack.library.interactions()]
        expect.all_played([label for label in labels if label.partition(" #")[0] in names], self.requests)

    @property
    def unmatched(self) -> list[Exchange]:
        return [exchange for exchange in self.requests if exchange.miss]
