"""Many streams at once; `python -m tests.load.streams` is the full load."""

import pytest

from tests.load.footprint import assert_no_leak, needs_proc
from tests.load.streams import load


@pytest.mark.long
@needs_proc
def test_many_streams_at_once_arrive_whole_and_leave_nothing_behind() -> None:
    before, after, _ = load(streams=120, frames=40, ms=20, rounds=3)
    assert_no_leak(before, after)
