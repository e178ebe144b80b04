"""Callers that leave at random moments; `python -m tests.load.leavers` is the full load."""

import pytest

from tests.load.footprint import assert_no_leak, needs_proc
from tests.load.leavers import MOMENTS, load


@pytest.mark.long
@needs_proc
def test_no_request_to_azure_outlives_its_caller_and_nothing_is_left_behind() -> None:
    before, after, _, ends = load(callers=300, at_once=60, seed=0)
    assert set(ends) == set(MOMENTS)
    assert_no_leak(before, after)
