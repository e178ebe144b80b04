"""The workflows run files of the repository, and may only read it."""

import re
import runpy
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from emulator.stack import ROOT
from tests.infra.compiler import VERSION
from tests.infra.test_usage_queries import ANALYSER

WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
DEPENDABOT = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())
LOCK = runpy.run_path(str(ROOT / ".ci/lock.py"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_every_change_is_checked_by_what_one_runs_oneself() -> None:
    checks = WORKFLOWS["checks.yml"]
    assert {"push", "pull_request"} <= set(checks[True])  # YAML 1.1 reads `on` as true
    assert any(step.get("run") == "bash .ci/run" for step in steps(checks))
    assert any("dependency-review" in step.get("uses", "") for step in steps(checks))


def test_other_versions_than_the_locked_ones_are_tried_by_the_clock() -> None:
    newest = WORKFLOWS["newest.yml"]
    assert newest[True]["schedule"]
    assert any(step.get("run") == "bash .ci/newest ${{ matrix.run }}" for step in steps(newest))
    runs = set(re.findall(r"^(\w+)\(\) \{$", (ROOT / ".ci/newest").read_text(), re.MULTILINE))
    assert set(newest["jobs"]["versions"]["strategy"]["matrix"]["run"]) == runs


def test_microsofts_own_host_is_asked_by_hand_by_the_clock_and_when_something_of_it_changes() -> None:
    workflow = WORKFLOWS["real-host.yml"]
    assert {"workflow_dispatch", "schedule", "push", "pull_request"} == set(workflow[True])
    run = [step.get("run", "") for step in steps(workflow)]
    assert any("azure-functions-core-tools" in line for line in run)
    assert "bash .ci/real_host" in run
    for event in ("push", "pull_request"):
        watched = workflow[True][event]["paths"]
        assert {"function_app.py", "host.json", "proxy/**", "emulator/host/**", "requirements*.txt"} <= set(watched)
        assert all(any(ROOT.glob(path.removesuffix("/**"))) for path in watched)


def test_microsofts_tools_are_installed_where_the_tests_look_for_them() -> None:
    run = [step.get("run", "") for step in steps(WORKFLOWS["checks.yml"])]
    assert any(f"az bicep install --version v{VERSION}" in line for line in run)
    assert any(f"npm install --prefix .node {ANALYSER}@" in line for line in run)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_reads_and_what_it_runs_is_there(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    for step in steps(WORKFLOWS[name]):
        for script in re.findall(r"\.ci/\w+", step.get("run", "")):
            assert (ROOT / script).is_file()


def test_the_newest_are_without_bounds_and_nothing_else_is() -> None:
    (expression,) = re.findall(r"sed -E '([^']*)'", (ROOT / ".ci/newest").read_text())
    pattern, replacement = expression.removeprefix("s/").removesuffix("/").split("/")
    for file in ("requirements-dev.in", "requirements-openai3.in"):
        before = (ROOT / file).read_text().splitlines()
        after = [re.sub(pattern, replacement, line) for line in before]
        changed = [re.split(r"[<>=]", line)[0] for line, now in zip(before, after, strict=True) if line != now]
        assert "openai" in changed
        assert set(changed) <= {"openai", "dspy"}
        assert not [now for now in after if re.match(r"(openai|dspy)(\[\S*\])?[<>=]", now)]


def test_dependabot_waits_as_long_as_we_do_and_leaves_the_bounds_alone() -> None:
    (updates,) = (u for u in DEPENDABOT["updates"] if u["package-ecosystem"] == "uv")
    assert updates["schedule"]["interval"] == "weekly"
    assert updates["versioning-strategy"] == "lockfile-only"
    assert updates["cooldown"]["default-days"] == LOCK["COOLDOWN_DAYS"]
    folders = {str(PurePosixPath("/", source).parent) for source in LOCK["LOCKS"]}
    assert set(updates["directories"]) == folders
