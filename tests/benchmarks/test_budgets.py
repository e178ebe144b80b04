"""The hot paths stay as cheap as they are."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.compared.contender import ROOT

BUDGETS = tomllib.loads(Path(__file__).with_name("budgets.toml").read_text())


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    """In a process of its own, where nothing else has been imported or is running."""
    command = [sys.executable, "-m", "tests.benchmarks.hot_path"]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    return dict(json.loads(printed.splitlines()[-1]))


@pytest.mark.parametrize("what", BUDGETS)
def test_a_hot_path_keeps_its_budget(counted: dict[str, float], what: str) -> None:
    cost, budget = counted[what], BUDGETS[what]
    assert cost <= budget, (
        f"{what}: {cost:g}, and the budget is {budget:g}. What did the last change add? "
        "If it is worth it, raise the budget in tests/benchmarks/budgets.toml and say why in the commit."
    )


def test_every_count_has_a_budget(counted: dict[str, float]) -> None:
    assert set(counted) == set(BUDGETS)


def test_matching_costs_the_same_however_many_recordings_there_are(counted: dict[str, float]) -> None:
    assert counted["calls per match among 10"] == counted["calls per match among 2,000"]
