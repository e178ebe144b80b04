import uuid
from collections.abc import Iterator

import pytest

from tests.host.hosts import BACKENDS, Host, running


@pytest.fixture(scope="session", params=BACKENDS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """The sample app, shared by all tests."""
    with running(request.param) as host:
        yield host


@pytest.fixture
def event() -> str:
    """A name that no other test uses."""
    return uuid.uuid4().hex
