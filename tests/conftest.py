import os
from collections.abc import Iterator

import pytest

from tests import trust

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else litellm asks GitHub for prices when it is imported
os.environ["PYTHON_ENABLE_INIT_INDEXING"] = "1"  # the function, which some tests import, requires it on 3.11 and 3.12
if "HOST_UNDER_TEST" not in os.environ:  # the host under test may be remote
    trust.trust_nobody()

pytest_plugins = ["emulator.pytest_plugin", "tests.garbage"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Two workers for each core: half of the time, a test waits for a process or a socket."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 2 * cores


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def clean_environment(aoai_clean_environment: None) -> None:
    """Cleans the environment for every test, with or without the emulator."""


@pytest.fixture(scope="session", autouse=True)
def warm_hosts() -> Iterator[None]:
    """Each host of a session starts from its warm process."""
    from tests import warm_host  # not by xdist's own process, which runs no test

    with warm_host.warm_hosts():
        yield
