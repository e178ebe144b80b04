"""Three instances of the real proxy share budgets through one Azurite, whatever goes wrong between them. Their time
runs five times as fast as in Azure."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.data.tables import TableClient

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.match.library import Library
from emulator.server import bind, serving
from tests.keys.azurite import TABLE, Azurite, azurite
from tests.keys.instance import READ, WRITE, Instance, instance
from tests.keys.signing import TODAY, key_text
from tests.support import Arrived, RawUpstream, raw_upstream, sending

pytestmark = pytest.mark.long

ANSWER = json.dumps({"usage": {"prompt_tokens": 20, "completion_tokens": 80, "total_tokens": 100}}).encode()
TOKENS, UPSTREAM_SECONDS = 100, 0.03
SLACK_SECONDS = 1.0  # of a busy machine
BEFORE_MIDNIGHT_SECONDS = 40.0  # enough to start three instances and to use a budget up
MESSAGE = {"role": "user", "content": "as long as Azure says: 20 tokens"}
BODY = json.dumps({"model": "gpt-4o", "messages": [MESSAGE], "max_tokens": 80}).encode()


@dataclass
class Answered:
    """`answers` counts by instance. `when` has the time and the instance of each answer, and `took` its seconds."""

    answers: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    when: list[tuple[float, int]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        return TOKENS * sum(self.answers.values())


@dataclass
class Class:
    """The instances and their shared table."""

    instances: list[Instance]
    azurite: Azurite

    def rows(self, name: str, day: date = TODAY) -> list[dict[str, int]]:
        with TableClient.from_connection_string(self.azurite.connection_string, TABLE) as client:
            query = client.query_entities("PartitionKey eq @at", parameters={"at": f"{day} id-{name}"})
            return [
                {property_: value.value for property_, value in row.items() if hasattr(value, "value")} for row in query
            ]

    def total(self, name: str, property_: str, day: date = TODAY) -> int:
        return sum(row[property_] for row in self.rows(name, day))


def answer(arrived: Arrived, sock: socket.socket) -> None:
    time.sleep(UPSTREAM_SECONDS)
    sending(ANSWER, b"content-type: application/json")(arrived, sock)


@pytest.fixture(scope="module")
def upstream() -> Iterator[RawUpstream]:
    with raw_upstream() as running:
        running.answer = answer
        yield running


@contextmanager
def instances(upstream: RawUpstream, folder: Path, *shifts: float) -> Iterator[Class]:
    """One instance for each clock, which is so many seconds ahead."""
    fake = FakeAzure(Library())
    with ExitStack() as running:
        tables = running.enter_context(azurite())
        base = running.enter_context(serving(fake, bind(0)))
        identity = {"IDENTITY_ENDPOINT": base + IDENTITY_PATH, "IDENTITY_HEADER": fake.identity.header}
        started = [
            running.enter_context(
                instance(upstream.base, identity, tables.connection_string, folder / f"{number}", shift)
            )
            for number, shift in enumerate(shifts)
        ]
        yield Class(started, tables)


@pytest.fixture
def three(upstream: RawUpstream, tmp_path: Path) -> Iterator[Class]:
    with instances(upstream, tmp_path, 0, 0, 0) as running:
        yield running


async def ask_until(
    stopped: threading.Event, client: aiohttp.ClientSession, url: str, number: int, key: str, into: Answered
) -> None:
    """A caller that asks again until its key has nothing left, its instance is gone, or `stopped` is set."""
    headers = {"authorization": f"Bearer {key}"}
    while not stopped.is_set():
        began = time.monotonic()
        try:
            async with client.post(f"{url}/chat/completions", headers=headers, data=BODY) as got:
                told = await got.json()
        except aiohttp.ClientError:
            into.codes["gone"] += 1
            return
        if got.status == 200:
            into.answers[number] += 1
            into.when.append((time.monotonic(), number))
            into.took.append(time.monotonic() - began)
            continue
        code = str(told["error"]["code"])
        into.codes[code] += 1
        if code != "key_budget_reserved":
            return
        await asyncio.sleep(0.1)


def ask(instances: list[Instance], key: str, callers: int, stopped: threading.Event) -> Answered:
    """The answers to so many callers at once, with one key, spread over the instances."""
    into = Answered()

    async def main() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            turns = (number % len(instances) for number in range(callers))
            await asyncio.gather(
                *(ask_until(stopped, client, instances[turn].keys_url, turn, key, into) for turn in turns)
            )

    asyncio.run(main())
    return into


def in_background(*arguments: Any) -> tuple[threading.Thread, list[Answered]]:
    got: list[Answered] = []
    thread = threading.Thread(target=lambda: got.append(ask(*arguments)))
    thread.start()
    return thread, got


def in_step() -> None:
    time.sleep(WRITE + READ + SLACK_SECONDS)


def test_300_callers_overrun_a_budget_by_no_more_than_is_stated_and_no_count_is_lost(three: Class) -> None:
    budget = 40_000
    key = key_text("many", tokens_a_day=budget)
    began = time.monotonic()
    got = ask(three.instances, key, 300, threading.Event())
    seconds = time.monotonic() - began
    print(f"{got.tokens:,} tokens of {budget:,} in {seconds:.1f} s; {got.codes}")
    assert set(got.codes) <= {"key_budget_used_up", "key_budget_reserved"}
    assert budget <= got.tokens <= 3 * (budget + TOKENS)
    in_step()
    assert three.total("many", "total_tokens") == got.tokens
    assert three.total("many", "requests") == sum(got.answers.values())
    assert [three.total("many", name) for name in ("open_requests", "reserved_tokens", "estimated")] == [0, 0, 0]
    in_step()
    after = ask(three.instances, key, 30, threading.Event())
    assert (after.tokens, set(after.codes)) == (0, {"key_budget_used_up"}), "all know of it now"


def test_a_budget_that_lasts_longer_than_news_takes_is_overrun_by_the_news_alone(three: Class) -> None:
    """The overrun is at most what the other instances let in within WRITE + READ seconds."""
    budget = 120_000
    key = key_text("steady", tokens_a_day=budget)
    began = time.monotonic()
    got = ask(three.instances, key, 6, threading.Event())
    rate = got.tokens / (time.monotonic() - began)
    print(f"{got.tokens:,} tokens of {budget:,}, {rate:,.0f} a second")
    assert time.monotonic() - began > 2 * (WRITE + READ), "it lasted"
    assert budget <= got.tokens <= budget + rate * (WRITE + READ + SLACK_SECONDS) + 6 * TOKENS


def test_a_killed_instance_loses_the_last_two_seconds_and_nothing_else(three: Class) -> None:
    key, stopped = key_text("killed"), threading.Event()
    thread, results = in_background(three.instances, key, 60, stopped)
    time.sleep(4 * WRITE + SLACK_SECONDS)
    three.instances[0].process.kill()
    killed = time.monotonic()
    time.sleep(2 * WRITE)
    stopped.set()
    thread.join()
    (got,) = results
    in_step()
    before = TOKENS * sum(number == 0 and at < killed - WRITE - SLACK_SECONDS / 2 for at, number in got.when)
    survivors = TOKENS * (got.answers[1] + got.answers[2])
    counted = three.total("killed", "total_tokens")
    print(f"killed: {TOKENS * got.answers[0]:,} tokens answered, {counted - survivors:,} counted, {before:,} must be")
    assert before > 0
    assert counted - survivors >= before
    assert set(got.codes) == {"gone"}


def test_a_table_that_is_away_for_a_minute_fails_nobody_and_gets_every_count(three: Class) -> None:
    key, stopped = key_text("away"), threading.Event()
    thread, results = in_background(three.instances, key, 30, stopped)
    time.sleep(2)
    os.kill(three.azurite.process.pid, signal.SIGSTOP)
    gone = time.monotonic()
    time.sleep(60 / 5)
    os.kill(three.azurite.process.pid, signal.SIGCONT)
    time.sleep(1)
    stopped.set()
    thread.join()
    (got,) = results
    slowest = max(took for (at, _), took in zip(got.when, got.took, strict=True) if at - took > gone)
    print(f"{got.tokens:,} tokens; slowest call without the table {slowest:.2f} s")
    assert got.codes == {}
    assert slowest < 1.5, "nobody waits: an attempt to reach the table takes 5 s"
    deadline = time.monotonic() + 15
    while three.total("away", "total_tokens") != got.tokens and time.monotonic() < deadline:
        time.sleep(0.2)
    assert three.total("away", "total_tokens") == got.tokens
    for one in three.instances:
        told = [line for line in one.log.read_text().splitlines() if line.startswith("usage table: ")]
        assert len(told) == 2, "once when it went and once when it was back"
        assert "Bearer" not in "".join(told)


def test_clocks_a_minute_apart_begin_a_day_a_minute_apart_and_give_no_day_twice(
    upstream: RawUpstream, tmp_path: Path
) -> None:
    """The second instance is in tomorrow already. Midnight comes to the others while they run."""
    budget, most = 6_000, 6_000 + TOKENS
    now = datetime.now(UTC)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC)
    slow = (midnight - now).total_seconds() - BEFORE_MIDNIGHT_SECONDS
    key, last_day = key_text("clocks", ends=None, tokens_a_day=budget), key_text("ends", ends=today)
    with instances(upstream, tmp_path, slow, slow + 60, slow) as three:
        before = ask(three.instances, key, 30, threading.Event())
        ended = [ask([one], last_day, 1, threading.Event()).codes for one in three.instances[1:2]]
        left = BEFORE_MIDNIGHT_SECONDS - (datetime.now(UTC) - now).total_seconds()
        assert left > 0, "this machine took too long to start"
        time.sleep(left + WRITE + READ)
        after = ask(three.instances, key, 30, threading.Event())
        in_step()
        late = ask(three.instances, key, 30, threading.Event())
        counted = [three.total("clocks", "total_tokens", day) for day in (today, tomorrow)]
    of_today = TOKENS * (before.answers[0] + before.answers[2])
    of_tomorrow = TOKENS * before.answers[1] + after.tokens
    print(f"{of_today:,} and {of_tomorrow:,} tokens of {budget:,} a day, {after.tokens:,} of them after midnight")
    assert ended == [{"api_key_ended": 1}]
    assert budget <= of_today <= 2 * most
    assert budget <= TOKENS * before.answers[1] <= most
    assert after.answers[1] == 0
    assert of_tomorrow <= 3 * most
    assert counted == [of_today, of_tomorrow], "no count is lost, and none is in another day"
    assert (late.tokens, set(late.codes)) == (0, {"key_budget_used_up"}), "all know of it now"
