"""The GitHub Action's steps run in bash, one after the other, without GitHub."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from emulator.stack import ROOT
from tests.packaging.elsewhere import ASKED, Project, environment

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
INSTALL, START, STOP = STEPS


def test_every_step_says_its_shell_and_takes_no_input_into_its_text() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input in a script's text is run as a part of it"
    named = {name for step in STEPS for value in step.get("env", {}).values() for name in value.split("inputs.")[1:]}
    assert {name.rstrip(" }") for name in named} | {"stop"} == set(ACTION["inputs"])
    assert [step["if"] for step in STEPS] == ["inputs.stop != 'true'"] * 2 + ["inputs.stop == 'true'"]


def test_the_outputs_are_those_of_the_start() -> None:
    assert {output["value"] for output in ACTION["outputs"].values()} == {
        f"${{{{ steps.{START['id']}.outputs.{name} }}}}" for name in ("base-url", "function-key")
    }


def ask_until_nobody_answers(url: str) -> None:
    for _ in range(100):
        httpx.get(url)
        time.sleep(0.1)


class Job:
    """A job on a runner, with a repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.temp = folder / "work space", folder / "temp"
        self.output, self.env = folder / "output", folder / "env"
        for made in (self.workspace, self.temp):
            made.mkdir()

    def run(self, step: dict[str, Any], **inputs: str) -> "subprocess.CompletedProcess[str]":
        settings = {
            "GITHUB_WORKSPACE": self.workspace,
            "RUNNER_TEMP": self.temp,
            "GITHUB_OUTPUT": self.output,
            "GITHUB_ENV": self.env,
        }
        env = environment({name: str(path) for name, path in settings.items()} | inputs)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]  # GitHub's own command line
        printed = self.temp.parent / "printed"  # the emulator would keep a pipe open
        with printed.open("w+") as file:
            done = subprocess.run(command, cwd=self.workspace, env=env, stdout=file, stderr=file, timeout=300)
        return subprocess.CompletedProcess(command, done.returncode, printed.read_text())

    def later(self, file: Path) -> dict[str, str]:
        return dict(line.split("=", 1) for line in file.read_text().splitlines())


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A job with the checkout's emulator installed."""
    job = Job(tmp_path)
    place = job.temp / "azure-openai-emulator"
    (place / "bin").mkdir(parents=True)
    python = f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}'"
    for name, arguments in (("azure-openai-emulator", "-m emulator"), ("python", "")):
        (place / "bin" / name).write_text(f'{python} {arguments} "$@"\n')
        (place / "bin" / name).chmod(0o755)
    yield job
    if (place / "pid").exists():
        job.run(STOP)


def test_later_steps_reach_the_emulator_until_it_is_stopped(job: Job) -> None:
    Project(job.workspace).record("my tapes/hello.yaml")
    started = job.run(START, CASSETTES="my tapes\n", ARGUMENTS="--time-scale 0")
    assert started.returncode == 0, started.stdout
    assert "with cassettes of my tapes" in started.stdout
    later, output = job.later(job.env), job.later(job.output)
    assert later == {"PROXY_BASE_URL": output["base-url"], "FUNCTION_HOST_KEY": output["function-key"]}
    headers = {"x-functions-key": later["FUNCTION_HOST_KEY"]}
    answer = httpx.post(f"{later['PROXY_BASE_URL']}/chat/completions", headers=headers, json=ASKED)
    assert answer.json()["choices"][0]["message"]["content"] == "Yes."
    stopped = job.run(STOP)
    assert stopped.returncode == 0, stopped.stdout
    (job.temp / "azure-openai-emulator/pid").unlink()
    with pytest.raises(httpx.TransportError):
        ask_until_nobody_answers(later["PROXY_BASE_URL"])


def test_an_emulator_that_does_not_start_fails_the_step_and_says_why(job: Job) -> None:
    started = job.run(START, CASSETTES="no such folder", ARGUMENTS="")
    (job.temp / "azure-openai-emulator/pid").unlink()
    assert started.returncode == 1
    assert "error: There is no folder no such folder." in started.stdout
    assert "::error::The emulator did not start." in started.stdout


@pytest.mark.long
@pytest.mark.timeout(600)
def test_it_installs_what_the_actions_own_repository_has(wheel: Path, tmp_path: Path) -> None:
    job = Job(tmp_path)
    installed = job.run(INSTALL, SOURCE=str(wheel.parent / "source"))
    assert installed.returncode == 0, installed.stdout
    try:
        started = job.run(START, CASSETTES="", ARGUMENTS="")
        assert started.returncode == 0, started.stdout
        assert httpx.get(job.later(job.env)["PROXY_BASE_URL"].replace("/api/v1", "/")).status_code == 200
    finally:
        job.run(STOP)
