"""The proxy keeps its promises for made-up requests, the same ones in each run. `python -m tests.hostile.fuzz` throws
more of them."""

from collections.abc import Iterator

import pytest

from tests.host.hosts import BACKENDS
from tests.hostile.fuzz import WARM_UP, throw
from tests.hostile.target import Target, target
from tests.load.footprint import assert_no_leak, needs_proc


@pytest.fixture(scope="module", params=BACKENDS)
def attacked(request: pytest.FixtureRequest) -> Iterator[Target]:
    with target(request.param) as under_attack:
        yield under_attack


@needs_proc
@pytest.mark.parametrize("requests", [1_000, pytest.param(2_000, marks=pytest.mark.long)])
def test_no_made_up_request_breaks_a_promise_or_leaves_anything_behind(attacked: Target, requests: int) -> None:
    throw(attacked, WARM_UP, seed=0)
    before = attacked.counted.footprint()
    throw(attacked, requests, seed=1)
    assert_no_leak(before, attacked.counted.settled(before))
    assert set(attacked.answers) >= {200, 400, 401, 404, 500}, "what never gets far tests nothing"
