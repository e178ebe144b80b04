from collections.abc import Iterator

import pytest

from tests.support import Log, Proxy, RawUpstream, proxy, raw_upstream


@pytest.fixture(scope="session")
def upstream() -> Iterator[RawUpstream]:
    """A server in Azure's place. Tests make it misbehave."""
    with raw_upstream() as running:
        yield running


@pytest.fixture(scope="session")
def behind(upstream: RawUpstream) -> Iterator[Proxy]:
    """The proxy in front of it."""
    with proxy(upstream.base) as running:
        yield running


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """The log file of the `logged` proxy."""
    return Log(tmp_path_factory.mktemp("log") / "stderr")


@pytest.fixture(scope="module")
def logged(upstream: RawUpstream, log: Log) -> Iterator[Proxy]:
    """The proxy in front of `upstream`, with its records in `log`."""
    with log.path.open("wb") as file, proxy(upstream.base, verbose=True, log=file) as running:
        yield running
