"""The release workflow's steps run, as far as they need neither GitHub nor PyPI. No release has used it yet."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.stack import ROOT
from tests.packaging.elsewhere import environment, pip

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
BUILD, PUBLISH = WORKFLOW["jobs"]["build"], WORKFLOW["jobs"]["publish"]
RUN = {step["name"]: step["run"] for step in BUILD["steps"] if "run" in step}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def bash(script: str, folder: Path, path: str = "", **more: str) -> int:
    env = environment({"PATH": f"{path}{os.environ['PATH']}"} | more)
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True
    ).returncode


def test_nothing_but_the_upload_sees_the_token_and_none_is_stored() -> None:
    assert WORKFLOW[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true
    assert "permissions" not in BUILD
    assert (PUBLISH["permissions"], PUBLISH["environment"]) == ({"id-token": "write"}, "pypi")
    assert [step["uses"].split("@")[0] for step in PUBLISH["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()


@pytest.mark.parametrize(("tag", "status"), [(f"v{VERSION}", 0), (VERSION, 1), ("v0.0.0", 1)])
def test_a_tag_that_is_not_the_version_stops_it(tag: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    assert bash(RUN["The tag is the version"], ROOT, f"{tmp_path}:", GITHUB_REF_NAME=tag) == status


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_wheel_is_made_of_the_source_and_starts(wheel: Path, tmp_path: Path) -> None:
    source = wheel.parent / "source"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip(tmp_path / "venv/bin/python", "install", "-q", "build")
    path = f"{tmp_path}/venv/bin:"
    for name, script in RUN.items():
        if name != "The tag is the version":
            assert bash(script, source, path, RUNNER_TEMP=str(tmp_path)) == 0, name
    assert {file.suffix for file in (source / "dist").iterdir()} == {".whl", ".gz"}
