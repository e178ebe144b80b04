"""pytest fixtures: the whole chain, once per session, clean for every test.

    def test_greeting(openai_client):
        answer = openai_client.chat.completions.create(model="gpt-4o-mini", messages=[...])

Redefine `aoai_cassette_folders` or `aoai_settings` in a conftest.py to serve other recordings or other app settings. A
test fails at its end when a request found no recording, even if its client swallowed the error; mark it with
`aoai_allow_unmatched` where that is the point. So it does when Azure would never have answered a call, or would have
left it open in the worker; `aoai_unanswered(1)` says that one such call is meant. With `--record-mode`, what has no
recording is asked of Azure itself (emulator/recording/); `@pytest.mark.cassette("chat/story")` says where the answer is
kept. Works under pytest-xdist: every worker has a stack of its own.
"""

import os
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .azure import expect
from .azure.journal import Exchange
from .azure.limits import Limits
from .recording import with_pytest
from .recording.stack import RecordingStack
from .stack import CASSETTES, LocalStack
from .tape.library import PLAYED

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI, OpenAI

FOREIGN = ("OPENAI_", "AZURE_OPENAI_", "PROXY_", "FUNCTION_HOST_KEY")  # settings of some live deployment


def pytest_addoption(parser: pytest.Parser) -> None:
    """With `=` before the file: pytest reads its command line once before it knows this option."""
    told = "collect the labels of all played recordings in this file, for `python -m emulator check --played`"
    parser.addoption("--emulator-played", metavar="FILE", help=told)
    with_pytest.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "aoai_fault(wish): what goes wrong in this test, as in 'reset; at_frame=3'")
    config.addinivalue_line("markers", "aoai_allow_unmatched: requests without a recording do not fail this test")
    config.addinivalue_line("markers", "aoai_unanswered(count): so many calls of this test have no answer in Azure")
    with_pytest.configure(config)
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else litellm asks GitHub for prices when it is imported
    if played := config.getoption("--emulator-played"):
        file = config.invocation_params.dir / played
        os.environ[PLAYED] = str(file)  # every process of this session inherits it
        if not hasattr(config, "workerinput"):  # of pytest-xdist: the controller comes first, and alone
            file.write_bytes(b"")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    with_pytest.note_end(item, report)
    return report


@pytest.fixture(scope="session")
def aoai_cassette_folders() -> list[Path]:
    """The folders whose cassettes are served."""
    return [CASSETTES]


@pytest.fixture(scope="session")
def aoai_settings() -> dict[str, str]:
    """App settings of the function, beside those that point it at the fake Azure."""
    return {}


@pytest.fixture(scope="session")
def aoai_emulator_server(
    pytestconfig: pytest.Config, aoai_cassette_folders: list[Path], aoai_settings: dict[str, str]
) -> Iterator[LocalStack]:
    """The stack that all tests of a session share."""
    recording = with_pytest.wish_of(pytestconfig).live
    with (
        with_pytest.stack_of(pytestconfig, aoai_cassette_folders, aoai_settings)
        if recording
        else LocalStack(aoai_cassette_folders, settings=aoai_settings)
    ) as stack:
        assert not stack.library.problems, stack.library.problems
        yield stack
        assert not (late := stack.unanswered()), "\n".join(late)


class Emulator:
    """What a test sees of the stack: `requests` that reached the fake Azure, `unmatched` ones, and the stack itself."""

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


@pytest.fixture
def aoai_emulator(request: pytest.FixtureRequest, aoai_emulator_server: LocalStack) -> Iterator[Emulator]:
    """The stack with an empty journal and every recording at its start."""
    emulator = Emulator(aoai_emulator_server)
    emulator.azure.reset()
    for marker in request.node.iter_markers("aoai_fault"):
        emulator.fault(marker.args[0])
    stack = aoai_emulator_server
    with with_pytest.cassette_of(request.node, stack) if isinstance(stack, RecordingStack) else nullcontext():
        yield emulator
    if emulator.unmatched and not request.node.get_closest_marker("aoai_allow_unmatched"):
        pytest.fail("\n\n".join(str(exchange.miss) for exchange in emulator.unmatched), pytrace=False)
    meant = request.node.get_closest_marker("aoai_unanswered")
    if len(told := stack.unanswered()) != (meant.args[0] if meant else 0):
        pytest.fail("\n".join(told) or "Azure would have answered every call of this test.", pytrace=False)


@pytest.fixture
def proxy_base_url(aoai_emulator: Emulator) -> str:
    return aoai_emulator.stack.base_url


@pytest.fixture
def function_key(aoai_emulator: Emulator) -> str:
    return aoai_emulator.stack.function_key


@pytest.fixture
def openai_client(proxy_base_url: str, function_key: str) -> "Iterator[OpenAI]":
    """An OpenAI client that does not retry: a test counts what it sends."""
    from openai import OpenAI

    with OpenAI(**_client_options(proxy_base_url, function_key)) as client:
        yield client


@pytest.fixture
async def async_openai_client(proxy_base_url: str, function_key: str) -> "AsyncIterator[AsyncOpenAI]":
    from openai import AsyncOpenAI

    async with AsyncOpenAI(**_client_options(proxy_base_url, function_key)) as client:
        yield client


@pytest.fixture
def dspy_lm(proxy_base_url: str, function_key: str) -> Iterator[Any]:
    """A dspy.LM on DSPy's LiteLLM engine (headers= selects it), configured for the test. Its cache is off: it ignores
    the address, so a recorded answer would later pass for a live one."""
    import dspy

    lm = dspy.LM(
        "openai/gpt-4o-mini",
        api_base=proxy_base_url,
        api_key="unused",
        headers={"x-functions-key": function_key},
        cache=False,
        num_retries=0,
    )
    with dspy.context(lm=lm):
        yield lm


@pytest.fixture(autouse=True)
def aoai_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of a live deployment reaches a test, and DSPy's disk cache stays out of the home folder."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DSPY_CACHEDIR", str(tmp_path_factory.getbasetemp() / "dspy_cache"))


def _client_options(base_url: str, key: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "api_key": "unused",  # the SDK insists on one; the proxy drops it
        "default_headers": {"x-functions-key": key},
        "max_retries": 0,
    }
