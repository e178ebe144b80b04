"""Callers without a key leave nothing behind, whatever they send. `python -m tests.keys.strangers` is the full load."""

import pytest

from tests.keys.strangers import KINDS, UP, load
from tests.load.footprint import assert_no_leak, needs_proc


@needs_proc
@pytest.mark.parametrize("requests", [200, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_no_stranger_gets_in_or_leaves_anything_behind(requests: int) -> None:
    before, after, ends = load(requests, at_once=50, seed=requests)
    assert ends.total() == requests
    assert ends["401"] > requests // len(KINDS)
    assert ends[UP] > requests // len(KINDS)
    assert_no_leak(before, after)
