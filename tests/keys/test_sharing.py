"""Several instances count together. No call waits for the table or fails with it. The table here is a dictionary that
can be away; tests/keys/test_usage_table.py has Azure's client and Azurite's table."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from proxy import sharing
from proxy.budget import Budgets, OverBudget
from proxy.charge import Charge
from proxy.estimate import Estimate
from proxy.sharing import READS_IN_USE, Sharing
from proxy.tally import FIELDS, Counts, Tally
from tests.keys.signing import key
from tests.keys.test_key_budgets import DAY, NOON, Clock, let_in, over

pytestmark = pytest.mark.anyio
WRITE, READ = 0.02, 0.1  # seconds; 2 and 10 in Azure
ASK = Estimate(20, 80)


@dataclass
class Rows:
    """The table of all instances: (day, key, instance) → counts."""

    rows: dict[tuple[int, str, int], Counts] = field(default_factory=dict)
    away: bool = False
    hangs: bool = False
    written: int = 0
    read: int = 0

    async def answer(self) -> None:
        await asyncio.sleep(10 if self.hangs else 0.001)
        if self.away:
            raise OSError("nobody listens")

    def total(self, name: str, day: int | None = None) -> int:
        return sum(getattr(row, name) for at, row in self.rows.items() if day in (None, at[0]))


class Table:
    """The table as one instance sees it."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    async def write(self, tally: Tally) -> None:
        sent = tally.own.both(Counts())
        await self.rows.answer()
        self.rows.written += 1
        self.rows.rows[tally.day, tally.key.id, id(self)] = sent

    async def read(self, tally: Tally) -> tuple[Counts, Counts]:
        await self.rows.answer()
        self.rows.read += 1
        own, others = Counts(), Counts()
        for (day, name, instance), row in self.rows.rows.items():
            if (day, name) == (tally.day, tally.key.id):
                (own if instance == id(self) else others).add(row)
        return own, others


class Instance(Budgets):
    def __init__(self, rows: Rows, clock: Callable[[], float]) -> None:
        self.sharing = Sharing(Table(rows), WRITE, READ)
        super().__init__(self.sharing, clock)

    def stop(self) -> None:
        """Kills the instance as kill -9 does, so it writes nothing more."""
        for task in self.sharing.tasks:
            task.cancel()


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def three(rows: Rows, clock: Clock) -> AsyncIterator[list[Instance]]:
    instances = [Instance(rows, clock) for _ in range(3)]
    yield instances
    for instance in instances:
        instance.stop()


async def in_step() -> None:
    await asyncio.sleep(WRITE + READ + 0.08)


async def known_to(*instances: Instance, **limits: int) -> None:
    """Gives each instance a call with the key, and waits until each has read the table."""
    for instance in instances:
        instance.reserve(key(**limits), None)
    await in_step()


async def test_each_knows_what_all_have_counted(three: list[Instance], rows: Rows) -> None:
    for number, instance in enumerate(three, 1):
        for _ in range(number):
            instance.reserve(key(), ASK).settle(over(30))
    await in_step()
    await known_to(*three)
    assert [instance.left(key(tokens_a_day=1_000))["tokens_a_day"] for instance in three] == [820] * 3
    assert (rows.total("requests"), rows.total("total_tokens"), len(rows.rows)) == (6, 180, 3)


async def test_a_budget_is_overrun_by_no_more_than_is_stated(three: list[Instance], rows: Rows) -> None:
    """N instances at the same time give at most N times what was left, and a last call each."""
    limits = {"tokens_a_day": 1_000}
    charges: list[Charge] = []
    for _ in range(300):
        for instance in three:
            charges += let_in(instance, 1, ASK, **limits)
    assert len(charges) == 3 * 10
    await in_step()
    await known_to(*three, **limits)
    for charge in charges:
        charge.settle(over(100))
    assert [len(let_in(instance, 1, ASK, **limits)) for instance in three] == [0, 0, 0]
    await in_step()
    assert rows.total("total_tokens") == 3 * 1_000


async def test_what_is_under_way_elsewhere_counts(three: list[Instance], rows: Rows) -> None:
    first, second, _ = three
    held = let_in(first, 8, ASK, tokens_a_day=1_000)
    await known_to(second, tokens_a_day=1_000)
    assert len(let_in(second, 100, ASK, tokens_a_day=1_000)) == 2
    assert len(held) == 8


async def test_what_a_killed_instance_had_under_way_stays_charged(three: list[Instance], rows: Rows) -> None:
    first, second, _ = three
    held = let_in(first, 3, ASK)
    first.reserve(key(), ASK).settle(over(30))
    await asyncio.sleep(3 * WRITE + 0.02)
    first.stop()
    lost = first.reserve(key(), ASK)
    lost.settle(over(30))
    await known_to(second)
    others = second.tally(key()).others
    assert (others.total_tokens, others.reserved_tokens, others.open_requests) == (30, 300, 3)
    assert len(held) == 3


@pytest.mark.parametrize("fault", ["away", "hangs"])
async def test_a_table_that_is_away_fails_no_call_and_gets_every_count_later(
    three: list[Instance], rows: Rows, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sharing, "ATTEMPT_SECONDS", 0.03)
    setattr(rows, fault, True)
    longest, calls = 0.0, 0
    end = asyncio.get_running_loop().time() + 0.6
    while (began := asyncio.get_running_loop().time()) < end:
        for instance in three:
            instance.reserve(key(), ASK).settle(over(30))
            calls += 1
        longest = max(longest, asyncio.get_running_loop().time() - began)
        await asyncio.sleep(0.005)
    assert longest < 0.1, "nobody waits"
    assert rows.rows == {}
    setattr(rows, fault, False)
    await asyncio.sleep(0.3)
    assert rows.total("total_tokens") == 30 * calls
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "Each instance counts for itself until it answers." in line]) == 3
    assert len([line for line in lines if "it answers again" in line]) == 3
    assert len(lines) == 6


async def test_a_row_that_fell_behind_is_written_again(three: list[Instance], rows: Rows) -> None:
    """The table may carry out a write whose answer was lost after a newer write."""
    first = three[0]
    first.reserve(key(), ASK).settle(over(30))
    await in_step()
    (at,) = rows.rows
    rows.rows[at] = Counts()
    await known_to(first)
    await asyncio.sleep(2 * WRITE + 0.02)
    assert rows.total("total_tokens") == 30


async def test_only_what_changed_is_written_and_only_what_is_used_is_read(three: list[Instance], rows: Rows) -> None:
    three[0].reserve(key(), ASK).settle(over(30))
    await in_step()
    assert rows.written == 1
    await asyncio.sleep((READS_IN_USE + 1) * READ)
    before = rows.read
    assert before <= READS_IN_USE + 3, "every READ seconds"
    await asyncio.sleep(3 * READ)
    assert (rows.written, rows.read) == (1, before)


async def test_clocks_a_minute_apart_count_two_days_apart(rows: Rows) -> None:
    midnight = NOON + DAY / 2
    late, ahead = Clock(midnight - 30), Clock(midnight + 30)
    instances = [Instance(rows, late), Instance(rows, ahead)]
    charges = [charge for one in instances for charge in let_in(one, 50, ASK, tokens_a_day=1_000)]
    assert len(charges) == 20, "each has a day of its own"
    for charge in charges:
        charge.settle(over(100))
    await in_step()
    late.now += 60
    ahead.now += 60
    await known_to(*instances, tokens_a_day=1_000)
    for instance in instances:
        with pytest.raises(OverBudget):
            instance.reserve(key(tokens_a_day=1_000), ASK)
        instance.stop()
    first = int(midnight // DAY) - 1
    assert [rows.total("total_tokens", day) for day in (first, first + 1)] == [1_000, 1_000]


def test_every_count_reaches_the_table() -> None:
    counts = Counts(*range(1, len(FIELDS) + 1))
    counts.add(counts.both(Counts()))
    assert [getattr(counts, name) for name in FIELDS] == [2 * number for number in range(1, len(FIELDS) + 1)]
