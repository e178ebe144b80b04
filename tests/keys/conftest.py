from collections.abc import Iterator

import pytest

from proxy.keys import Keyring
from tests.keys.signing import SECRET
from tests.support import Log, Proxy, RawUpstream, proxy, raw_upstream


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Signs the keys that the `signed` proxy accepts."""
    return Keyring((SECRET,))


@pytest.fixture(scope="session")
def upstream() -> Iterator[RawUpstream]:
    """A server in Azure's place."""
    with raw_upstream() as running:
        yield running


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """The log file of the `signed` proxy."""
    return Log(tmp_path_factory.mktemp("keys") / "stderr")


@pytest.fixture(scope="session")
def signed(upstream: RawUpstream, log: Log) -> Iterator[Proxy]:
    """The proxy in front of `upstream`, with signed keys. All tests of this folder share it."""
    settings = {"PROXY_SIGNING_KEY": SECRET, "PROXY_REVOKED_KEYS": "Eve, id-taken-back", "PROXY_KEY_SALT": "salt " * 4}
    with log.path.open("wb") as file, proxy(upstream.base, settings, verbose=True, log=file) as running:
        yield running
