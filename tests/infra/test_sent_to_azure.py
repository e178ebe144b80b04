"""`azd deploy` sends the function and nothing else to Azure. host.json lets the function's records through."""

import json
import subprocess
from pathlib import Path

import pytest

from emulator.stack import ROOT

ALWAYS = {"function_app.py", "host.json", "requirements.txt"}
STRAY = (  # files that a user's folder may hold
    ".env",
    ".venv/lib/x.py",
    "azure-openai-proxy_env/lib/x.py",  # `azd restore` makes it
    "venv/lib/x.py",
    "env/lib/x.py",
    "node_modules/x/index.js",
    "proxy/__pycache__/x.pyc",
    "benchmark-results/x.json",
    "local.settings.json",
    "requirements.in",
    "Dockerfile",
    "action.yml",
)
HOST = json.loads((ROOT / "host.json").read_text())


def test_only_the_function_is_sent(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a checkout of git: which files are the project's, is not known")
    for name in (*listed.stdout.splitlines(), *STRAY):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    # .funcignore has .gitignore's rules.
    (tmp_path / ".gitignore").write_text((ROOT / ".funcignore").read_text())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    sent = set(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.splitlines())
    assert sent >= ALWAYS
    assert {name for name in sent if not name.startswith("proxy/")} == ALWAYS
    assert all(name.endswith(".py") for name in sent - ALWAYS - {"host.json", "requirements.txt"})


def test_what_the_function_prints_passes_the_hosts_filter() -> None:
    """The host gives a printed line the category Host.Function.Console and the level Information (its source:
    WorkerConsoleLogService). The rule with the longest matching prefix decides."""
    levels = HOST["logging"]["logLevel"]
    rules = [rule for rule in levels if "Host.Function.Console".startswith(rule)]
    assert levels[max(rules, key=len, default="default")] == "Information"


def test_the_host_never_ends_a_call_and_needs_nothing_from_outside() -> None:
    """At a time-out, one open call would restart the worker and cut every stream. A host that cannot load its extension
    bundle answers 503, and HTTP needs no extension. Sampling in host.json has no effect with OpenTelemetry."""
    assert HOST["functionTimeout"] == "-1"
    assert "extensionBundle" not in HOST
    assert HOST["telemetryMode"] == "OpenTelemetry"
    assert "applicationInsights" not in HOST["logging"]
