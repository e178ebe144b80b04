"""The limits to the number of people who share a deployment, and the settings for a given number."""

import json
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from ..summary import Samples, median
from .simulation import Plan

CPU_MS_PER_CALL, CPU_US_PER_FRAME = 1.5, 64.0  # 2 shared cores of an AMD EPYC, 2026-11-23; --measured has others
CALL_BENCH = ("in the worker library, 16 connections", "ours", "cpu_us_request")
FRAME_BENCH = ("200 frames every 20 ms, 50 streams", "ours", "cpu_us_frame")
CPU_SHARE = 0.5  # of an instance's core; the .NET host in front of the worker takes the rest, which nobody measured
HEADROOM = 1.25  # for every recommended setting


@dataclass(frozen=True)
class Cost:
    """The proxy's CPU time, and the source of the numbers."""

    ms_per_call: float
    us_per_frame: float
    source: str

    def seconds(self, frames: int) -> float:
        return self.ms_per_call / 1_000 + frames * self.us_per_frame / 1_000_000


def measured(file: Path | None) -> Cost:
    """Raises OSError and ValueError."""
    if not file:
        return Cost(CPU_MS_PER_CALL, CPU_US_PER_FRAME, "measured with `python -m benchmarks`")
    try:
        samples: Samples = json.loads(file.read_text(encoding="utf-8"))["samples"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no result of `python -m benchmarks`") from error
    call, frame = median(samples, *CALL_BENCH), median(samples, *FRAME_BENCH)
    if call is None or frame is None:
        raise ValueError(f"{file} lacks one of the benches `{CALL_BENCH[0]}`, `{FRAME_BENCH[0]}`")
    return Cost(call / 1_000, frame, f"measured: {file}")


@dataclass(frozen=True)
class Limit:
    name: str
    users: float  # the number of users that it serves steadily
    setting: str  # the setting that lifts the limit


def limits(plan: Plan, cost: Cost, frames: int) -> list[Limit]:
    """The limits that matter, the tightest first."""
    seconds = statistics.fmean(plan.durations)
    calls_per_user = plan.prompts_per_minute / 60
    cores = plan.maximum_instances * CPU_SHARE
    found = [
        Limit(
            "tokens per minute of the deployment",
            plan.tokens_per_minute / plan.tokens / plan.prompts_per_minute,
            "more quota, a second deployment, or fewer tokens per prompt",
        ),
        Limit(
            "calls at once, on all instances",
            plan.maximum_instances * plan.concurrency / (calls_per_user * seconds),
            "HTTP_CONCURRENCY, then MAXIMUM_INSTANCES",
        ),
        Limit(
            "CPU of all instances",
            cores / cost.seconds(frames) / calls_per_user,
            "MAXIMUM_INSTANCES",
        ),
    ]
    return sorted(found, key=lambda limit: limit.users)


def recommended(plan: Plan, cost: Cost, frames: int) -> list[str]:
    """Lines of `azd env set`, and the quota to request."""
    seconds = statistics.fmean(plan.durations)
    by_cpu = CPU_SHARE * seconds / cost.seconds(frames)
    concurrency = min(1_000, max(1, math.floor(by_cpu / 10) * 10 if by_cpu >= 10 else math.floor(by_cpu)), 100)
    in_flight = plan.users * plan.prompts_per_minute / 60 * seconds * HEADROOM
    instances = max(1, math.ceil(in_flight / concurrency))
    quota = math.ceil(plan.users * plan.prompts_per_minute * plan.tokens * HEADROOM / 1_000)
    return [
        f"    azd env set HTTP_CONCURRENCY {concurrency}",
        f"    azd env set MAXIMUM_INSTANCES {max(40, instances)}   # {instances} would do; 40 is the least there is",
        f"    azd env set ALWAYS_READY_INSTANCES {instances}   # for the lesson; 0 when it is over",
        f"    quota of the deployment: {quota:,} thousand tokens per minute",
    ]
