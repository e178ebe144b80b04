from collections.abc import Iterator

import pytest

from tests.support import Proxy, RawUpstream, proxy, raw_upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[RawUpstream]:
    """A server in Azure's place that a test makes misbehave."""
    with raw_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def behind(upstream: RawUpstream) -> Iterator[Proxy]:
    """The proxy in front of it."""
    with proxy(upstream.base) as running:
        yield running
