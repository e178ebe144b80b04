"""`python -m benchmarks` runs, and judges its samples."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bench import Bench, Failed
from benchmarks.compared.contender import ROOT
from benchmarks.measured.run import Run
from benchmarks.measured.traffic import of_leaving
from benchmarks.reported.targets import Target, targets


def test_variants_take_turns_round_by_round():
    order: list[str] = []

    def taking(name: str):
        return lambda: order.append(name) or {"p50_ms": float(len(order))}

    run = Run()
    run.take([Bench("json", {"a": taking("a"), "b": taking("b")})], rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert run.samples == {"json": {"a": {"p50_ms": [1.0, 3.0]}, "b": {"p50_ms": [2.0, 4.0]}}}


def test_who_fails_is_named_and_left_out_of_later_rounds():
    def fails():
        raise Failed("status: HTTP/1.1 500")

    run = Run()
    run.take([Bench("json", {"bad": fails, "good": lambda: {"p50_ms": 1.0, "absent": math.nan}})], rounds=2)
    assert run.failed == [("json", "bad", "status: HTTP/1.1 500")]
    assert run.samples == {"json": {"good": {"p50_ms": [1.0, 1.0]}}}


def test_a_leaving_is_paired_with_the_closing_after_it():
    milli = 1_000_000
    log = f"left {12 * milli}\nother\nleft {25 * milli}\n"
    assert of_leaving([10 * milli, 20 * milli, 30 * milli], log) == {
        "upstream_closed_ms": 2.0,
        "upstream_closed_slowest_ms": 5.0,
        "never_closed": 1,
    }


@pytest.mark.parametrize(
    ("figure", "most", "verdict"),
    [(1.0, False, "aim"), (1.5, False, "must"), (2.1, False, "missed"), (3, True, "aim"), (None, True, "not measured")],
)
def test_a_figure_is_judged_by_its_bounds(figure, most, verdict):
    assert Target("x", figure, must=2.0, aim=1.0 if not most else 2.5, most=most).verdict == verdict


def test_a_target_without_samples_is_not_measured():
    assert {target.verdict for target in targets({})} == {"not measured"}


NEEDS_LINUX = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("gcc"), reason="needs Linux and a C compiler"
)


@NEEDS_LINUX
@pytest.mark.long
def test_a_quick_run_measures_the_proxy_and_names_who_is_missing(tmp_path: Path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "json, 1 ", "--contenders", "ours", "LiteLLM"]
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "BENCHMARK_PEERS": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "--out", tmp_path],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "skipped: LiteLLM: LiteLLM is not installed" in done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    samples = result["samples"]["json, 1 connections"]
    assert set(samples) == {"direct", "ours"}
    assert samples["ours"]["errors"] == [0]
    assert samples["ours"]["requests_s"][0] < samples["direct"]["requests_s"][0]
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")
    assert "| requests_s |" in done.stdout


@NEEDS_LINUX
@pytest.mark.long
def test_the_cost_of_records_is_measured_with_them_and_without():
    command = [
        sys.executable,
        "-m",
        "benchmarks.measured.usage_cost",
        "--starts",
        "1",
        "--rounds",
        "1",
        "--seconds",
        "0.1",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" requests/s ") == 3


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "more", "lines"), [("page_cost", ["--rounds", "1"], 6), ("improvising", ["responses", "embeddings"], 2)]
)
def test_what_the_emulator_does_beside_replaying_is_measured(name: str, more: list[str], lines: int):
    command = [sys.executable, "-m", f"benchmarks.measured.{name}", "--seconds", "0.1", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("÷ without: ") + done.stdout.count("new prompts ") == lines
