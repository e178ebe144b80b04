"""Whatever goes wrong between Azure and the proxy, each client ends as the matrix says: no hang, no traceback, and no
part of an answer that passes for all of it."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulator.azure.errors import ERRORS
from emulator.azure.faults import FAULTS
from emulator.match.library import Library
from emulator.stack import CASSETTES
from tests.e2e.fault_matrix.__main__ import README, with_table
from tests.e2e.fault_matrix.clients import CLIENTS, OTHER, WHOLE, Call, absent, stop_node
from tests.e2e.fault_matrix.expected import COLUMNS, MATRIX, OUTCOMES, PLAIN, STREAMED, TOKENLESS, expected
from tests.support import Proxy, proxy

# LiteLLM's streaming makes pydantic warn about one of LiteLLM's own types.
PRESENT = [client for client in CLIENTS if not absent(client)]
SILENCE_SECONDS = 0.6  # that a client waits for a byte, where none comes; far longer than headers take
PATIENCE_SECONDS = 20.0  # that it waits otherwise
HANGS_SECONDS = 10.0


@contextmanager
def without_traceback() -> Iterator[Proxy]:
    """The proxy in front of the fake Azure; whatever a test does to it, nothing that the host logs is a traceback."""
    with tempfile.TemporaryFile() as log:
        with proxy(library=Library.from_folders([CASSETTES]), log=log) as running:
            yield running
        log.seek(0)
        assert b"Traceback" not in (logged := log.read()), logged.decode()


@pytest.fixture(scope="module")
def healthy() -> Iterator[Proxy]:
    with without_traceback() as running:
        yield running


@pytest.fixture(scope="module")
def tokenless() -> Iterator[Proxy]:
    with without_traceback() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def node_ends() -> Iterator[None]:
    yield
    stop_node()


@pytest.fixture(autouse=True)
def tries_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)


def call(behind: Proxy, kind: str, fault: str = "") -> Call:
    timeout = SILENCE_SECONDS if fault.startswith("stall") else PATIENCE_SECONDS
    return Call(behind.base_url, behind.headers["x-functions-key"], kind == STREAMED, timeout)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_answered_when_nothing_goes_wrong(healthy: Proxy, client: str) -> None:
    if reason := absent(client):
        pytest.skip(f"{client}: {reason}")
    healthy.azure.reset()
    assert [CLIENTS[client][1](call(healthy, kind)) for kind in (PLAIN, STREAMED)] == [WHOLE, WHOLE]


def cells() -> Iterator[object]:
    """In the usual run each fault meets one client, and the clients take turns; the others are marked long."""
    for number, (kind, fault) in enumerate((kind, fault) for kind, faults in MATRIX.items() for fault in faults):
        for place, client in enumerate(PRESENT):
            takes_its_turn = place == number % len(PRESENT)
            yield pytest.param(kind, fault, client, marks=[] if takes_its_turn else [pytest.mark.long])


@pytest.mark.parametrize(("kind", "fault", "client"), [*cells()])
def test_a_fault_ends_as_the_matrix_says(request: pytest.FixtureRequest, kind: str, fault: str, client: str) -> None:
    column, ask = CLIENTS[client]
    behind = request.getfixturevalue("tokenless" if kind == TOKENLESS else "healthy")
    behind.azure.reset()
    behind.azure.misbehave(fault)
    began = time.monotonic()
    seen = ask(call(behind, kind, fault))
    assert time.monotonic() - began < HANGS_SECONDS
    arrived = behind.azure.journal.wait_for(lambda all_: all(exchange.outcome != "open" for exchange in all_), 5)
    may_be = expected(kind, fault, column)
    assert seen in may_be.seen
    assert len(arrived) in may_be.tries


def test_the_matrix_has_every_fault_and_every_status_of_azures_errors() -> None:
    wished = {fault.partition(";")[0] for faults in MATRIX.values() for fault in faults}
    assert wished >= set(FAULTS)
    statuses = {ERRORS[name].status for name in wished & set(ERRORS)}
    assert statuses == {error.status for error in ERRORS.values()}


def test_no_cell_takes_a_part_for_the_whole() -> None:
    """But curl's, which knows nothing of what is in an answer: it shows what came, and exits with 0."""
    seen = {outcome[column].partition(" ")[0] for outcome in OUTCOMES.values() for column in COLUMNS[:-1]}
    assert OTHER not in seen
    assert "exit" not in seen


def test_the_table_in_the_readme_is_the_matrix() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "python -m tests.e2e.fault_matrix writes it"
