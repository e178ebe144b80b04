"""The README's three ways in work unchanged: for people with a key, for testers, and for people who run a proxy.

In the third way, `az` and `azd` are stand-ins that accept the README's commands. `azd up` runs the real hook of
azure.yaml, and the proxy is the local one.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from emulator.stack import CASSETTES, LocalStack
from tests.e2e.scenarios import docs
from tests.packaging.elsewhere import Project
from tests.pages import FENCE, ROOT, text_of
from tests.recording.conftest import Live

ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins of others cost a second a run
AZ = """#!/bin/sh
case "$*" in
login) ;;
"functionapp keys list "*) echo "$KEY" ;;
*) echo "az does not know: $*" >&2; exit 2 ;;
esac
"""
AZD = """#!/bin/sh
case "$*" in
"config set auth.useAzCliAuth true") ;;
up) exec sh {hook} ;;
*) echo "azd does not know: $*" >&2; exit 2 ;;
esac
"""


def blocks_of(way: str, language: str) -> list[str]:
    """The code blocks in one of the README's ways in."""
    section = re.split(r"\n##+ ", text_of("README.md").split(f"\n### {way}\n", 1)[1])[0]
    return [block for _, found, block in FENCE.findall(section) if found == language]


def commands(way: str) -> list[str]:
    return "".join(blocks_of(way, "bash")).splitlines()


def executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def test_you_have_a_url_and_a_key(proxy_base_url: str, function_key: str) -> None:
    (program,) = blocks_of("You have a URL and a key", "python")
    named = {"PROXY_BASE_URL": proxy_base_url, "FUNCTION_HOST_KEY": function_key}
    assert set(named) == set(re.findall(r"[A-Z]+_[A-Z_]+", program))
    ran = subprocess.run([sys.executable, "-c", program], env=os.environ | named, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (f"{docs.LIGHTHOUSE}\n", "")


def test_you_test_your_code(tmp_path: Path) -> None:
    (test,) = blocks_of("You test your code", "python")
    install, login, export, record = commands("You test your code")
    assert install.startswith("pip install azure-openai-emulator openai pytest ")  # tests/packaging/ installs it
    assert login == "az login"
    project = Project.of_the_checkout(tmp_path)
    project.write("tests/test_class.py", test)
    with Live.started([CASSETTES / "docs"]) as live:
        assert set(re.findall(r"\b(AZURE_\w+)=", export)) == set(live.env) - {"AZURE_OPENAI_API_KEY"}  # `az login`
        status, told = project.pytest(*record.split()[1:], **live.env, **ALONE)
        assert status == 0, told
    assert len(project.cassettes) == 1
    status, told = project.pytest(**ALONE)
    assert status == 0, told


def test_you_run_it_for_others(
    tmp_path: Path, aoai_emulator_server: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hook,) = {hook["posix"]["run"] for hook in yaml.safe_load(text_of("azure.yaml"))["hooks"].values()}
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    executable(tmp_path / "bin/az", AZ)
    executable(tmp_path / "bin/azd", AZD.format(hook=hook))
    executable(tmp_path / ".venv/bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    environment = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "KEY": aoai_emulator_server.function_key,
        "PROXY_BASE_URL": aoai_emulator_server.base_url,
        "AZURE_SUBSCRIPTION_ID": "subscription",
        "AZURE_RESOURCE_GROUP": "rg-spring-course",
        "AZURE_FUNCTION_APP": "app",
    }
    script = "\n".join(commands("You run it for others"))
    monkeypatch.setattr(aoai_emulator_server.azure, "time_scale", 10.0)  # doctor looks whether streams stream
    ran = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "It runs.\n" in ran.stdout
    assert "\nno problems, " in ran.stdout
    assert f"FUNCTION_HOST_KEY={aoai_emulator_server.function_key}\n" in (tmp_path / ".env").read_text()
