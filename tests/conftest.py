# proxy/identity.py imports it in a thread, where pytest's warning filters may come and go in the middle of it: requests
# silences a warning about SOCKS, and for a moment it is an error again.
import azure.identity  # noqa: F401
import pytest

pytest_plugins = ["emulator.pytest_plugin"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
