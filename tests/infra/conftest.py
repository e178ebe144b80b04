import pytest

from tests.infra.compiler import BICEP, VERSION, version


@pytest.fixture(scope="session")
def compiler() -> None:
    """Microsoft's Bicep compiler, in the version that made the golden files."""
    if not BICEP:
        pytest.skip("no Bicep compiler: it is not on PATH, and BICEP does not say where it is")
    if version() != VERSION:
        pytest.skip(f"the Bicep compiler is {version()}, and the golden files are of {VERSION}")
