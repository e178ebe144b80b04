"""Tells how many people can share a deployment: it simulates a class, with the proxy's measured cost of a call.

python -m benchmarks.capacity --users 300 --prompts-per-minute 2 --tokens 1500 --tokens-per-minute 1000000
"""

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..reported.table import markdown, number
from ..summary import percentile
from .limits import Cost, limits, measured, recommended
from .simulation import RETRIES, Outcome, Plan, simulate

SPREAD = 0.4  # of the logarithm of assumed durations: one in twenty takes twice the usual time


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    arguments.output_tokens = arguments.output_tokens or arguments.tokens // 3
    try:
        durations, told = service_times(arguments)
        cost = measured(arguments.measured)
        plan = planned(arguments, durations)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    outcome = simulate(plan)
    print(report(plan, outcome, cost, arguments.output_tokens, told))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        plot(plan, outcome, arguments.out / "capacity.png")
        print(f"\nPlot: {arguments.out / 'capacity.png'}")
    return 0


def planned(arguments: argparse.Namespace, durations: Sequence[float]) -> Plan:
    """Raises ValueError."""
    if arguments.tokens > arguments.tokens_per_minute:
        raise ValueError(f"one prompt takes {arguments.tokens:,} tokens, the deployment has fewer a minute")
    if arguments.output_tokens > arguments.tokens:
        raise ValueError("--output-tokens are a part of --tokens")
    if arguments.always_ready > arguments.maximum_instances:
        raise ValueError("--always-ready are a part of --maximum-instances")
    return Plan(
        users=arguments.users,
        prompts_per_minute=arguments.prompts_per_minute,
        tokens=arguments.tokens,
        durations=durations,
        minutes=arguments.minutes,
        rush_seconds=arguments.rush_seconds or 60 / arguments.prompts_per_minute,
        tokens_per_minute=arguments.tokens_per_minute,
        concurrency=arguments.concurrency,
        always_ready=arguments.always_ready,
        maximum_instances=arguments.maximum_instances,
        start_seconds=arguments.start_seconds,
    )


def service_times(arguments: argparse.Namespace) -> tuple[list[float], str]:
    """Durations in seconds, and a text that says what they are. Raises OSError and ValueError."""
    if arguments.durations:
        lines = arguments.durations.read_text(encoding="utf-8").splitlines()
        found = [duration for line in lines if (duration := duration_of(line))]
        if not found:
            raise ValueError(f"{arguments.durations} has no duration: milliseconds or a call's record in each line")
        return found, f"measured: durations of {len(found):,} calls from {arguments.durations}"
    usual = arguments.first_token_seconds + arguments.output_tokens / arguments.tokens_per_second
    chance = random.Random(0)  # noqa: S311
    text = f"a call takes {number(usual)} s in the middle, as {arguments.output_tokens} tokens at"
    return (
        [usual * chance.lognormvariate(0, SPREAD) for _ in range(1_000)],
        f"assumed: {text} {number(arguments.tokens_per_second)} tokens/s do (your own: --durations)",
    )


def duration_of(line: str) -> float | None:
    """Seconds, from a line that is a number of milliseconds or holds a call's record. Raises ValueError."""
    brace = line.find("{")
    if brace < 0:
        return float(line) / 1_000 if line.strip() else None
    record = json.loads(line[brace:])
    return record["duration_ms"] / 1_000 if record.get("status") == 200 and record.get("duration_ms") else None


def report(plan: Plan, outcome: Outcome, cost: Cost, frames: int, told: str) -> str:
    bitten = limits(plan, cost, frames)
    a_minute = plan.users * plan.prompts_per_minute
    waits = [percentile(outcome.waits, share) for share in (0.5, 0.95, 1.0)]
    rows = [[limit.name, f"{math.floor(limit.users):,}", limit.setting] for limit in bitten]
    return "\n".join(
        [
            f"{plan.users:,} users, {number(a_minute)} calls and {number(a_minute * plan.tokens)} tokens a minute",
            "",
            markdown(("limit", "enough for users", "what lifts it"), rows),
            "",
            f"Bites first: {bitten[0].name}"
            + ("." if bitten[0].users < plan.users else ", and not before this class has grown."),
            "",
            f"{plan.minutes:g} minutes, simulated:",
            f"- {outcome.instances} of {plan.maximum_instances} instances, {outcome.at_once:,} calls at once at most",
            "- waiting for an instance: "
            + ", ".join(
                f"{name} {number(wait)} s" for name, wait in zip(("p50", "p95", "longest"), waits, strict=True)
            ),
            f"- {outcome.refused:,} of {len(outcome.waits):,} calls met a 429 for want of tokens; "
            f"{outcome.failed:,} of them failed after {RETRIES} retries",
            *(
                [f"- waiting for tokens, of those answered: p95 {number(percentile(outcome.delays, 0.95))} s"]
                if outcome.delays
                else []
            ),
            "",
            "Settings to use:",
            *recommended(plan, cost, frames),
            "",
            f"- {cost.source}: {number(cost.ms_per_call)} ms of CPU a call, {number(cost.us_per_frame)} µs a frame",
            f"- {told}",
            "- simulated: arrivals, instances and their start, the quota's minutes; users who never wait for an answer",
            "- measured in Azure: nothing",
        ]
    )


def plot(plan: Plan, outcome: Outcome, file: Path) -> None:
    """Plots calls and instances over the minutes of the lesson."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    seconds, in_flight, waiting, instances = zip(*outcome.timeline, strict=True)
    minutes = [second / 60 for second in seconds]
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.step(minutes, in_flight, where="post", label="calls at Azure")
    axes.step(minutes, waiting, where="post", label="calls that wait for an instance")
    axes.step(minutes, [plan.concurrency * n for n in instances], where="post", label="places on instances", ls=":")
    axes.set(xlabel="minutes", ylabel="calls", title=f"{plan.users:,} users, simulated")
    axes.legend()
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def whole(text: str) -> int:
    positive(text)
    return int(text)


OPTIONS: dict[str, tuple[Callable[[str], float], float | None, str]] = {  # name: (type, default, help)
    "users": (whole, None, "people who work at the same time"),
    "prompts-per-minute": (positive, None, "of each of them"),
    "tokens": (whole, None, "of a prompt and its answer together"),
    "output-tokens": (count, 0, "of the answer alone; 0: a third"),
    "tokens-per-minute": (whole, 200_000, "the deployment's quota"),
    "minutes": (positive, 10.0, "of the lesson"),
    "rush-seconds": (count, 0, "everybody sends the first prompt within these; 0: one gap between prompts"),
    "concurrency": (whole, 100, "HTTP_CONCURRENCY"),
    "maximum-instances": (whole, 40, "MAXIMUM_INSTANCES"),
    "always-ready": (count, 0, "ALWAYS_READY_INSTANCES"),
    "start-seconds": (positive, 30.0, "until a new instance serves"),
    "first-token-seconds": (positive, 0.8, "until an answer begins"),
    "tokens-per-second": (positive, 60.0, "of an answer"),
}


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__.splitlines()[0])
    for name, (kind, default, what) in OPTIONS.items():
        told = what if default is None else f"{what} (default: {default:g})"
        root.add_argument(f"--{name}", type=kind, default=default, required=default is None, metavar="N", help=told)
    root.add_argument(
        "--durations", type=Path, metavar="FILE", help="of your own calls: milliseconds or records, one a line"
    )
    root.add_argument("--measured", type=Path, metavar="FILE", help="a result.json of `python -m benchmarks`")
    root.add_argument("--out", type=Path, metavar="DIR", help="where capacity.png is written")
    return root
