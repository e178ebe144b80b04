"""Minutes of calls with random faults, compressed; `python -m tests.load.soak` makes it an hour, time-outs included."""

import pytest

from tests.load.footprint import assert_no_leak, needs_proc
from tests.load.soak import soak


@pytest.mark.long
@needs_proc
def test_every_call_ends_as_documented_whatever_happens() -> None:
    before, after, ended, _ = soak(minutes=6, time_scale=60, callers=40, seed=0, timeouts=False)
    assert len(ended) > 25, "only a few kinds of calls were made"
    assert_no_leak(before, after)
