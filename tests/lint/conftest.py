from pathlib import Path

import pytest

from tests.lint.planting import Workplace


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.chdir(tmp_path)
    place = Workplace(tmp_path)
    place.compare_with()
    return place
