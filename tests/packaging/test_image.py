"""The files of the Dockerfile exist, and the emulator understands its command. No test builds the image."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from emulator import cli
from emulator.stack import ROOT
from tests.packaging.elsewhere import pip

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = [line.split(" ", 1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def arguments_of(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def test_the_image_is_pinned_runs_as_nobody_special_and_is_asked_how_it_is() -> None:
    assert len(set(re.findall(r"\S+@sha256:[0-9a-f]{64}", DOCKERFILE))) == 1
    assert all(re.match(r"python:3\.13-slim@sha256:", image) for image in arguments_of("FROM"))
    (user,) = arguments_of("USER")
    assert int(user) > 0
    (check,) = arguments_of("HEALTHCHECK")
    (port,) = arguments_of("EXPOSE")
    assert f":{port}/'" in check
    compile(json.loads(check.partition("CMD ")[2])[2], "HEALTHCHECK", "exec")


def test_what_it_runs_is_a_command_line_of_ours() -> None:
    (entry,), (command,) = arguments_of("ENTRYPOINT"), arguments_of("CMD")
    assert json.loads(entry) == ["azure-openai-emulator"]
    parsed = cli.parser().parse_args(json.loads(command))
    assert (parsed.verb.args, parsed.host, str(parsed.port)) == (("serve",), "0.0.0.0", arguments_of("EXPOSE")[0])  # noqa: S104


def test_dockerignore_lets_through_what_the_image_is_built_of(tmp_path: Path) -> None:
    """git reads the rules here. For names that begin with a slash, Docker's rules are the same."""
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    for name in (*tracked, ".env", "local.settings.json", ".venv/x", "proxy/__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text((ROOT / ".dockerignore").read_text())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    sent = set(subprocess.check_output(command, cwd=tmp_path, text=True).splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    built = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = {*built["packages"], *built["force-include"], project["project"]["readme"], "LICENSE", "pyproject.toml"}
    needed = [name for name in tracked if name.split("/")[0] in included]
    assert sent == {*needed, "requirements-emulator.txt"}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_the_image_is_built_by_installs_the_wheel_without_an_index(wheel: Path, tmp_path: Path) -> None:
    """The test runs the commands of the RUN instructions with this machine's Python, in other folders."""
    build, download, install = (re.sub(r"--mount=\S+", "", command).strip() for command in arguments_of("RUN"))
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    for command in (build, download, install):
        placed = command.replace("/wheels", str(tmp_path / "wheels")).replace("/source", str(wheel.parent / "source"))
        assert placed.split()[0] == "pip"
        pip(python, *placed.split()[1:])
    shown = subprocess.run([python.with_name("azure-openai-emulator"), "show", "chat/question"], capture_output=True)
    assert shown.returncode == 0
