"""pytest fixtures: one stack per session, clean for every test.

    def test_greeting(openai_client):
        answer = openai_client.chat.completions.create(model="gpt-4o-mini", messages=[...])

The cassettes are the project's: `tests/cassettes`, `cassettes`, or the folders in the ini option `aoai_cassettes`.
Redefine `aoai_cassette_folders` or `aoai_settings` in a conftest.py to serve other recordings or other app settings.

A test fails at its end when a request found no recording, even if its client swallowed the error. The mark
`aoai_allow_unmatched` permits that, and the mark `aoai_improvise` lets the emulator make an answer up. A test also
fails when Azure would never have answered a call, or would have left it open in the worker. The mark
`aoai_unanswered(1)` expects one such call. With `--record-mode`, requests without a recording go to Azure itself
(emulator/recording/), and `@pytest.mark.cassette("chat/story")` names the cassette for the answers. Under pytest-xdist,
every worker has its own stack.

Every run of pytest loads this file where it is installed. So it imports nothing heavy before a test uses the emulator,
and touches no other test.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .bundle import COMMAND, folders_of
from .recording import options

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from .emulation import Emulator
    from .stack import LocalStack

FOREIGN = ("OPENAI_", "AZURE_OPENAI_", "PROXY_", "FUNCTION_HOST_KEY")  # settings of some live deployment
FOLDERS = "aoai_cassettes"
RECORDS = pytest.StashKey[bool]()
FAILED = pytest.StashKey[bool]()  # of a test, before its fixtures end
JOURNAL = pytest.StashKey[Path]()  # where the calls of every test are kept
REFUSAL = pytest.StashKey[str]()  # the reason why nothing is recorded in spite of --record-mode


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    parser.addini(
        FOLDERS, "folders of cassettes, beside the ini-file (default: tests/cassettes, cassettes)", type="paths"
    )
    if any(Path(name).name == "conftest.py" for name, _ in pluginmanager.list_name_plugin()):
        add_options(parser)  # a conftest.py loads this, and the hook below is under way


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Iterator[None]:
    """Adds the options last, after every other plugin and conftest.py has added its own."""
    yield
    add_options(parser)


def add_options(parser: pytest.Parser) -> None:
    """Users write `=` before a value, because pytest reads its command line once before it knows these options."""
    told = f"collect the labels of all played recordings in this file, for `{COMMAND} check --played`"
    options.add_option(parser, parser.getgroup("aoai"), "--emulator-played", metavar="FILE", help=told)
    told = f"append the calls of every test to this file, for `{COMMAND} page`; no key gets into it"
    options.add_option(parser, parser.getgroup("aoai"), "--emulator-journal", metavar="FILE", help=told)
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "aoai_fault(wish): the fault of this test, such as 'reset; at_frame=3'",
        "aoai_improvise: requests without a recording get made-up answers in this test",
        "aoai_allow_unmatched: requests without a recording do not fail this test",
        "aoai_unanswered(count): Azure would not answer so many calls of this test",
        "cassette(name): where --record-mode keeps this test's calls, such as chat/story",
    ):
        config.addinivalue_line("markers", marker)
    config.stash[RECORDS] = options.records(config)
    if config.stash[RECORDS]:
        from .recording import with_pytest

        with_pytest.configure(config)
    if played := options.option(config, "--emulator-played"):
        from .match.library import PLAYED

        file = config.invocation_params.dir / played
        os.environ[PLAYED] = str(file)  # every process of this session inherits it
        _begin(config, file)
    if kept := options.option(config, "--emulator-journal"):
        config.stash[JOURNAL] = config.invocation_params.dir / kept
        _begin(config, config.stash[JOURNAL])


def _begin(config: pytest.Config, file: Path) -> None:
    if not hasattr(config, "workerinput"):  # of pytest-xdist: the controller comes first, and alone
        file.write_bytes(b"")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = not report.passed
    if item.config.stash[RECORDS]:
        from .recording import with_pytest

        with_pytest.note_end(item, report)
    return report


@pytest.fixture(scope="session")
def aoai_cassette_folders(pytestconfig: pytest.Config) -> list[Path]:
    """The folders whose cassettes are served. New recordings go to the first."""
    return pytestconfig.getini(FOLDERS) or folders_of(pytestconfig.rootpath)


@pytest.fixture(scope="session")
def aoai_settings() -> dict[str, str]:
    """More app settings of the function. The stack itself sets the fake Azure's address."""
    return {}


@pytest.fixture(scope="session")
def aoai_emulator_server(
    pytestconfig: pytest.Config, aoai_cassette_folders: list[Path], aoai_settings: dict[str, str]
) -> "Iterator[LocalStack]":
    """The stack that all tests of a session share."""
    from .match.slack import SlackError
    from .page.control import Control
    from .page.subject import Subject

    try:
        started = _stack(pytestconfig, aoai_cassette_folders, aoai_settings)
    except SlackError as error:
        pytest.fail(str(error), pytrace=False)
    with started as stack, Control(Subject.of(stack, aoai_cassette_folders)):
        if unreadable := stack.library.unreadable:
            pytest.fail("\n".join([*unreadable, f"The ini option {FOLDERS} names other folders."]), pytrace=False)
        yield stack
        assert not (late := stack.unanswered()), "\n".join(late)


def _stack(config: pytest.Config, folders: list[Path], settings: dict[str, str]) -> "LocalStack":
    """It records where that is asked for and possible. Where it is not, what is recorded plays, and a test that would
    record is told why it may not."""
    from .match.declared import of_project
    from .stack import LocalStack

    if options.mode_of(config) == options.NO_RECORDING:
        return LocalStack(folders, settings=settings, slack=of_project(config.rootpath))
    if not (refusal := options.refusal(config)):
        from .recording import with_pytest
        from .recording.live import LiveError

        try:
            return with_pytest.stack_of(config, folders, settings)
        except LiveError as error:
            refusal = str(error)
    if options.asks_for_everything(config):
        pytest.fail(refusal, pytrace=False)
    config.stash[REFUSAL] = refusal
    return LocalStack(folders, settings=settings, slack=of_project(config.rootpath))


@pytest.fixture
def aoai_emulator(
    request: pytest.FixtureRequest, aoai_clean_environment: None, aoai_emulator_server: "LocalStack"
) -> "Iterator[Emulator]":
    """The stack with an empty journal and every recording at its start."""
    from .emulation import Emulator

    test, stack = request.node, aoai_emulator_server
    emulator = Emulator(stack)
    emulator.azure.reset()
    for marker in test.iter_markers("aoai_fault"):
        emulator.fault(marker.args[0])
    if test.get_closest_marker("aoai_improvise"):
        emulator.improvise()
    with _cassette(test, stack), emulator.stubs.answering(emulator.azure):
        yield emulator
    emulator.end()
    if JOURNAL in test.config.stash:
        from .page import kept

        secrets = (stack.function_key, emulator.azure.api_key, stack.identity_header)
        kept.append(test.config.stash[JOURNAL], test.nodeid, emulator.azure.journal, secrets)
    told = [] if test.stash.get(FAILED, False) else [emulator.stubs.unused(emulator.requests)]
    if emulator.unmatched and not test.get_closest_marker("aoai_allow_unmatched"):
        told += [*(str(exchange.miss) for exchange in emulator.unmatched), test.config.stash.get(REFUSAL, "")]
    if told := [*filter(None, told)]:
        pytest.fail("\n\n".join(told), pytrace=False)
    meant = test.get_closest_marker("aoai_unanswered")
    if len(told := stack.unanswered()) != (meant.args[0] if meant else 0):
        pytest.fail("\n".join(told) or "Azure would have answered every call of this test.", pytrace=False)


def _cassette(test: pytest.Item, stack: Any) -> Any:
    if not test.config.stash[RECORDS] or REFUSAL in test.config.stash:
        return nullcontext()
    from .recording import with_pytest

    return with_pytest.cassette_of(test, stack)


@pytest.fixture
def proxy_base_url(aoai_emulator: "Emulator") -> str:
    return aoai_emulator.stack.base_url


@pytest.fixture
def function_key(aoai_emulator: "Emulator") -> str:
    return aoai_emulator.stack.function_key


@pytest.fixture
def openai_client(proxy_base_url: str, function_key: str) -> "Iterator[OpenAI]":
    """An OpenAI client that does not retry, so that a test can count its requests."""
    from openai import OpenAI

    with OpenAI(**_client_options(proxy_base_url, function_key)) as client:
        yield client


@pytest.fixture
def async_openai_client(proxy_base_url: str, function_key: str) -> "AsyncOpenAI":
    """For tests of any plugin that runs coroutines. The fixture itself is no coroutine, because each plugin has its own
    marks and rules for them. Nobody can close the client in the test's event loop, so it keeps no connection open."""
    from openai import DEFAULT_CONNECTION_LIMITS, AsyncOpenAI, DefaultAsyncHttpxClient

    limits = type(DEFAULT_CONNECTION_LIMITS)(max_keepalive_connections=0)
    client = DefaultAsyncHttpxClient(limits=limits)
    return AsyncOpenAI(**_client_options(proxy_base_url, function_key), http_client=client)


@pytest.fixture
def dspy_lm(proxy_base_url: str, function_key: str) -> Iterator[Any]:
    """A dspy.LM on DSPy's LiteLLM engine (headers= selects it), configured for the test. Its cache is off, because the
    cache ignores the address: a recorded answer could later pass for a live one."""
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


@pytest.fixture
def aoai_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of a live deployment reaches a test of the emulator, DSPy's disk cache stays out of the home folder,
    and litellm does not ask GitHub for prices when it is imported."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DSPY_CACHEDIR", str(tmp_path_factory.getbasetemp() / "dspy_cache"))
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")


@pytest.fixture(autouse=True)
def aoai_clean_environment_first(request: pytest.FixtureRequest) -> None:
    """Runs first, so that the settings of a test's own fixtures stay."""
    if "aoai_emulator_server" in request.fixturenames:
        request.getfixturevalue("aoai_clean_environment")


def _client_options(base_url: str, key: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "api_key": "unused",  # the SDK insists on one; the proxy drops it
        "default_headers": {"x-functions-key": key},
        "max_retries": 0,
    }
