import uuid
from collections.abc import Iterator

import pytest

from tests.host.elsewhere import reason_to_skip
from tests.host.hosts import BACKENDS, HERE, UNDER_TEST, Host, running


@pytest.fixture(scope="session", params=[UNDER_TEST] if UNDER_TEST else BACKENDS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """The sample app, shared by all tests."""
    if UNDER_TEST:
        yield Host(UNDER_TEST)
    else:
        with running(request.param) as host:
            yield host


@pytest.fixture
def event() -> str:
    """A name that no other test uses."""
    return uuid.uuid4().hex


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if UNDER_TEST and item.path.parent == HERE and (reason := reason_to_skip(item, UNDER_TEST)):
            item.add_marker(pytest.mark.skip(reason=reason))
