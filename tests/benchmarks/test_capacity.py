"""`python -m benchmarks.capacity`: what a class of a given size needs."""

import itertools
import json
import re
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.capacity.limits import Cost, limits
from benchmarks.capacity.planner import main
from benchmarks.capacity.simulation import SCALING_SECONDS, Plan, simulate
from emulator.stack import ROOT
from tests.golden import FOLDER, assert_golden

CLASS = ["--users", "300", "--prompts-per-minute", "2", "--tokens", "1500"]
PLAN = Plan(
    users=200,
    prompts_per_minute=3.0,
    tokens=1_000,
    durations=[4.0, 8.0],
    minutes=10.0,
    rush_seconds=20.0,
    tokens_per_minute=10**9,
    concurrency=100,
    always_ready=40,
    maximum_instances=40,
    start_seconds=30.0,
)
COST = Cost(1.5, 64.0, "made up")


def test_the_command_of_the_readme_says_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(CLASS) == 0
    assert_golden("capacity.txt", capsys.readouterr().out)


def test_with_places_and_tokens_in_plenty_nobody_waits() -> None:
    outcome = simulate(PLAN)
    assert (max(outcome.waits), outcome.refused, outcome.failed) == (0, 0, 0)


def test_the_calls_at_azure_are_arrivals_times_duration() -> None:
    """Little's law, in the steady minutes."""
    steady = [(when, calls) for when, calls, _, _ in simulate(PLAN).timeline if 60 < when < 600]
    spans = itertools.pairwise(steady)
    mean = sum(calls * (later - when) for (when, calls), (later, _) in spans) / (steady[-1][0] - steady[0][0])
    assert mean == pytest.approx(200 * 3 / 60 * 6, rel=0.05)


def test_who_comes_before_the_first_instance_waits_for_its_start_and_no_longer() -> None:
    outcome = simulate(replace(PLAN, always_ready=0))
    assert PLAN.start_seconds - PLAN.rush_seconds < max(outcome.waits) <= PLAN.start_seconds + SCALING_SECONDS
    assert statistics.median(outcome.waits) == 0


def test_no_more_instances_run_than_are_allowed() -> None:
    outcome = simulate(replace(PLAN, always_ready=0, concurrency=1, maximum_instances=7))
    assert outcome.instances == outcome.at_once == 7


def test_no_minute_answers_more_calls_than_it_has_tokens_for() -> None:
    outcome = simulate(replace(PLAN, tokens_per_minute=100_000))
    answered = len(outcome.waits) - outcome.failed
    assert answered <= 100 * 14  # ten minutes, and those of the last retries
    assert answered >= 100 * 10
    assert outcome.refused > outcome.failed > 0


def test_the_same_plan_has_the_same_outcome() -> None:
    assert simulate(PLAN) == simulate(PLAN)
    assert simulate(PLAN) != simulate(replace(PLAN, seed=1))


@pytest.mark.parametrize(
    ("plan", "first"),
    [
        (replace(PLAN, tokens_per_minute=100_000), "tokens per minute of the deployment"),
        (replace(PLAN, maximum_instances=1, concurrency=1), "calls at once, on all instances"),
        (replace(PLAN, maximum_instances=1, concurrency=1_000, durations=[0.5]), "CPU of all instances"),
    ],
)
def test_the_limit_that_bites_first_comes_first(plan: Plan, first: str) -> None:
    assert limits(plan, COST, frames=500)[0].name == first


def test_durations_of_ones_own_calls_count(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ok, refused = ({"status": status, "duration_ms": 2500.0} for status in (200, 429))
    (tmp_path / "calls").write_text(f"call {json.dumps(ok)}\n{json.dumps(refused)}\n2500\n\n")
    assert (
        main([*CLASS, "--durations", str(tmp_path / "calls"), "--minutes", "1", "--tokens-per-minute", "2000000"]) == 0
    )
    printed = capsys.readouterr().out
    assert "measured: durations of 2 calls from" in printed
    assert "assumed" not in printed


def test_costs_of_a_run_of_the_benchmarks_count(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    samples = {
        "in the worker library, 16 connections": {"ours": {"cpu_us_request": [3000.0]}},
        "200 frames every 20 ms, 50 streams": {"ours": {"cpu_us_frame": [99.0]}},
    }
    (tmp_path / "result.json").write_text(json.dumps({"samples": samples}))
    assert main([*CLASS, "--measured", str(tmp_path / "result.json"), "--minutes", "1", "--out", str(tmp_path)]) == 0
    assert "3 ms of CPU a call, 99 µs a frame" in capsys.readouterr().out
    assert (tmp_path / "capacity.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tokens-per-minute", "1000"], "error: one prompt takes 1,500 tokens"),
        (["--output-tokens", "2000"], "error: --output-tokens are a part of --tokens"),
        (["--always-ready", "41"], "error: --always-ready are a part of --maximum-instances"),
        (["--durations", "/nowhere"], "error: [Errno 2]"),
        (["--durations", __file__], "error: could not convert"),
        (["--measured", "benchmarks/requirements.txt"], "error: benchmarks/requirements.txt is no result of"),
    ],
)
def test_what_cannot_be_planned_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CLASS, *arguments]) == 2
    assert capsys.readouterr().err.startswith(said)


def test_the_settings_that_it_names_are_those_of_azd() -> None:
    named = set(re.findall(r"azd env set (\w+)", (FOLDER / "capacity.txt").read_text()))
    known = set(re.findall(r"\$\{(\w+)", (ROOT / "infra/main.parameters.json").read_text()))
    assert named
    assert named <= known


def test_the_docs_say_what_the_planner_says() -> None:
    told = (ROOT / "docs/performance.md").read_text(encoding="utf-8").replace("\n", " ")
    printed = (FOLDER / "capacity.txt").read_text()
    by_tokens, by_places = (
        int(re.findall(rf"\| {limit}[^|]*\| ([\d,]+)", printed)[0].replace(",", "")) for limit in ("tok", "cal")
    )
    assert f"200,000 tokens per minute are enough for {by_tokens} people" in told
    assert f"one instance of the function is enough for {by_places // 40} of them" in told
