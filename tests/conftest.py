import os

import pytest

os.environ["PYTHON_ENABLE_INIT_INDEXING"] = "1"  # some tests import the function, which asks for it on 3.11 and 3.12

pytest_plugins = ["emulator.pytest_plugin"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
