"""Simulates a class at work: prompts arrive, instances start, a deployment's tokens run out until the next minute."""

import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

QUOTA_SECONDS = 60.0  # Azure's own: x-ratelimit-renewalperiod-tokens
SCALING_SECONDS = 1.0  # between two decisions about the number of instances
REFUSAL_SECONDS = 0.2  # the time until a 429 arrives
RETRIES = 2  # of the OpenAI SDK, which obeys Azure's `retry-after`

Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Plan:
    """The users and the deployment. `durations` are seconds from a call's arrival at an instance to its last byte; each
    call draws one of them. Everybody sends the first prompt within the first `rush_seconds`. After that, nobody waits
    for an answer before the next prompt."""

    users: int
    prompts_per_minute: float
    tokens: int
    durations: Sequence[float]
    minutes: float
    rush_seconds: float
    tokens_per_minute: int
    concurrency: int
    always_ready: int
    maximum_instances: int
    start_seconds: float
    seed: int = 0


@dataclass
class Outcome:
    """Times in seconds, one per call. `timeline` has (second, calls at Azure, calls without an instance, instances)."""

    waits: list[float] = field(default_factory=list)  # for an instance, before the first try
    delays: list[float] = field(default_factory=list)  # by refusals, for each call that got an answer in the end
    refused: int = 0  # calls that got at least one 429
    failed: int = 0  # calls that got nothing else
    timeline: list[tuple[float, int, int, int]] = field(default_factory=list)

    @property
    def instances(self) -> int:
        return max((instances for *_, instances in self.timeline), default=0)

    @property
    def at_once(self) -> int:
        return max((in_flight for _, in_flight, _, _ in self.timeline), default=0)


def simulate(plan: Plan) -> Outcome:
    room = Room(plan)
    room.world.run()
    return room.outcome


class Room:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.outcome = plan, Outcome()
        self.world, self.chance = simpy.Environment(), random.Random(plan.seed)  # noqa: S311
        self.places = simpy.Container(self.world, init=plan.always_ready * plan.concurrency)
        self.started = self.ready = plan.always_ready
        self.in_flight = self.waiting = self.spent = 0
        self.minute = -1.0
        self.world.process(self.scaler())
        for _ in range(plan.users):
            self.world.process(self.user())

    def user(self) -> Process:
        yield self.world.timeout(self.chance.uniform(0, self.plan.rush_seconds))
        while self.world.now < 60 * self.plan.minutes:
            self.world.process(self.call())
            yield self.world.timeout(self.chance.expovariate(self.plan.prompts_per_minute / 60))

    def call(self) -> Process:
        came, duration = self.world.now, self.chance.choice(self.plan.durations)
        for attempt in range(1 + RETRIES):
            asked = self.world.now
            self.count(waiting=1)
            yield self.places.get(1)
            self.count(waiting=-1, in_flight=1)
            if attempt == 0:
                self.outcome.waits.append(self.world.now - asked)
                came = self.world.now
            accepted = self.accepts()
            if accepted and attempt:
                self.outcome.delays.append(self.world.now - came)
            yield self.world.timeout(duration if accepted else REFUSAL_SECONDS)
            self.count(in_flight=-1)
            yield self.places.put(1)
            if accepted:
                return
            self.outcome.refused += attempt == 0
            left = max(0.0, self.minute + QUOTA_SECONDS - self.world.now)
            yield self.world.timeout(left + self.chance.random())  # `retry-after` has whole seconds
        self.outcome.failed += 1

    def accepts(self) -> bool:
        """Azure counts a call's tokens when it arrives, minute by minute."""
        minute = QUOTA_SECONDS * math.floor(self.world.now / QUOTA_SECONDS)
        if minute != self.minute:
            self.minute, self.spent = minute, 0
        if self.spent + self.plan.tokens > self.plan.tokens_per_minute:
            return False
        self.spent += self.plan.tokens
        return True

    def scaler(self) -> Process:
        """Starts and ends instances. Flex Consumption aims at the number of instances that the present calls need."""
        while self.world.now < 60 * self.plan.minutes:
            wanted = math.ceil((self.in_flight + self.waiting) / self.plan.concurrency)
            while self.started < min(wanted, self.plan.maximum_instances):
                self.started += 1
                self.world.process(self.instance())
            yield self.world.timeout(SCALING_SECONDS)

    def instance(self) -> Process:
        yield self.world.timeout(self.plan.start_seconds)
        self.ready += 1
        self.count()
        yield self.places.put(self.plan.concurrency)

    def count(self, waiting: int = 0, in_flight: int = 0) -> None:
        self.waiting += waiting
        self.in_flight += in_flight
        self.outcome.timeline.append((self.world.now, self.in_flight, self.waiting, self.ready))
