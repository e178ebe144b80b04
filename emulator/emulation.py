"""The fixture `aoai_emulator`: what a test can tell the emulator, and ask it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .azure import expect
from .azure.journal import Exchange
from .azure.limits import Limits
from .model import models_of
from .stack import LocalStack
from .synthetic.improvising import ORIGIN, Improviser, Pace
from .synthetic.stubs import Stub, StubError, Stubs
from .synthetic.stubs.condition import Condition, Predicate

if TYPE_CHECKING:
    import httpx


class Emulator:
    """`requests` are those of this test that reached the fake Azure. `unmatched` and `improvised` are the ones without
    a recording. `stack` is the running stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.azure = stack.azure
        self.stubs = Stubs()
        self._deployments = stack.azure.deployments

    @property
    def requests(self) -> list[Exchange]:
        return self.azure.journal.exchanges

    def fault(self, wish: str) -> None:
        """Sets a fault of azure/faults.py until the end of the test. Raises FaultError."""
        self.azure.misbehave(wish)

    def limit(self, requests: int | None = None, tokens: int | None = None, time_scale: float = 1.0) -> None:
        """Sets rate limits of each deployment until the end of the test. The clock runs `time_scale` times as fast."""
        self.azure.limits = Limits(requests, tokens, time_scale)

    def on(
        self,
        *,
        contains: str | None = None,
        model: str | None = None,
        route: str | None = None,
        tool_result: str | Literal[True] | None = None,
        path: Mapping[str, Any] | None = None,
        where: Predicate | None = None,
        times: int | None = 1,
        optional: bool = False,
    ) -> Stub:
        """Declares a stub until the end of the test. These conditions say which requests the stub answers. Its verbs
        give the answer, as in `on(contains="weather").answers("It rains.")`; see docs/stubs.md. Raises StubError."""
        served = self.stack.settings()["AZURE_OPENAI_DEPLOYMENT"]
        self.stubs.models = models_of(served)
        known = {*self.stubs.models, *self.stubs.models.values(), *self.azure.deployments}
        if model and model not in known:
            raise StubError(
                f"The proxy does not serve {model!r}; it serves {', '.join(sorted(known))}. The fixture aoai_settings "
                f'adds it: {{"AZURE_OPENAI_DEPLOYMENT": "{served},{model}"}}.'
            )
        stub = Stub(Condition(contains, model, route, tool_result, path, where), times, optional)
        self.stubs.declared.append(stub)
        if self.azure.deployments:  # a stub can answer for every deployment that the proxy serves, recorded or not
            self.azure.deployments |= {*self.stubs.models}
        return stub

    def improvise(self, pace: Pace | None = None) -> None:
        """Makes up answers for requests without a recording, until the end of the test. Such an answer says so in its
        header x-emulator-origin. While recording, the live service answers instead."""
        if not self.azure.records:
            self.azure.deployments = frozenset()  # any deployment exists; the proxy's settings name them
            self.azure.after.append(Improviser(pace))

    def end(self) -> None:
        """Ends the test: no answerer and no deployment of it stays for the next one."""
        self.azure.after[:] = [one for one in self.azure.after if not isinstance(one, Improviser)]
        self.azure.deployments = self._deployments

    def assert_streamed(self, received_at: Sequence[float], max_lag_ms: float, request: int = -1) -> None:
        """Passes if each frame reached the client at most `max_lag_ms` late (azure/expect.py). `request` is the index
        in `requests`; the default is the last."""
        expect.streamed(self.requests[request], received_at, max_lag_ms)

    def assert_transparent(self, response: "httpx.Response", request: int = -1) -> None:
        """Passes if the client got what Azure sent. `response` is an httpx.Response, such as
        `client.chat.completions.with_raw_response.create(…).http_response`."""
        expect.transparent(
            self.requests[request], response.status_code, response.headers.multi_items(), response.content
        )

    def assert_all_played(self, *names: str) -> None:
        """Passes if this test played every recording of these cassettes."""
        labels = [interaction.label for interaction in self.stack.library.interactions()]
        expect.all_played([label for label in labels if label.partition(" #")[0] in names], self.requests)

    def assert_recorded(self) -> None:
        """Passes if no answer in this test was improvised."""
        expect.recorded(self.requests)

    @property
    def improvised(self) -> list[Exchange]:
        """The requests that got an improvised answer."""
        return [exchange for exchange in self.requests if exchange.origin == ORIGIN]

    @property
    def unmatched(self) -> list[Exchange]:
        return [exchange for exchange in self.requests if exchange.miss]
