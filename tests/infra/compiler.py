"""Runs Microsoft's Bicep compiler: the one that `BICEP` names, the one on PATH, or the one beside the repository."""

import email
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import ROOT

VERSION = "0.49.2"  # installed by .github/workflows/checks.yml; another version may have other rules
PLACES = (os.environ.get("BICEP", ""), "bicep", str(ROOT.parent / "shared/tools/bicep"))
BICEP = next((found for place in PLACES if (found := shutil.which(place))), None)
needs_compiler = pytest.mark.usefixtures("compiler")
TENANT, SUBSCRIPTION, OTHER_SUBSCRIPTION = (f"00000000-0000-0000-0000-00000000000{number}" for number in range(1, 4))


def bicep(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    assert BICEP
    return subprocess.run([BICEP, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


@cache
def version() -> str:
    found = re.search(r"\d+\.\d+\.\d+", bicep("--version", folder=ROOT).stdout)
    return found[0] if found else "unknown"


def copy_of_infra(folder: Path) -> Path:
    """A copy of infra/ that a test may change. The compiler may write beside it."""
    for part in ("infra", "docs"):  # the workbook needs docs/usage.kql
        shutil.copytree(ROOT / part, folder / part)
    return folder / "infra"


def parameters_of(entry: str, variables: Mapping[str, str], infra: Path = ROOT / "infra") -> dict[str, Any]:
    """The parameters that azd makes of these variables. It leaves out a parameter whose variable is not set and has no
    default. It turns a text into a number or a boolean where the parameter's type says so, and leaves out a text that
    is neither (azure-dev, bicep_provider.go: evalParamEnvSubst, armParameterFileValue)."""
    types = dict(
        re.findall(r"^param (\w+) (\w+)", (infra / f"{entry}.bicep").read_text(encoding="utf-8"), re.MULTILINE)
    )
    given = json.loads((infra / f"{entry}.parameters.json").read_text(encoding="utf-8"))["parameters"]
    found = {}
    for name, entry_of in given.items():
        value = re.sub(r"\$\{(\w+)=?(.*?)\}", lambda part: variables.get(part[1]) or part[2], entry_of["value"])
        if not value:
            continue
        if types[name] == "string":
            found[name] = value
        elif re.fullmatch(r"-?\d+|true|false", value):
            found[name] = json.loads(value)
    return found


@contextmanager
def asking() -> Iterator[Callable[..., Any]]:
    """`ask(method, **params)` asks a compiler that stays: half of what a compiler does is to start. It speaks JSON-RPC
    with the headers of the Language Server Protocol."""
    assert BICEP
    command = [BICEP, "jsonrpc", "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        sent, received = process.stdin, process.stdout

        def ask(method: str, **params: Any) -> Any:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
            sent.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            sent.flush()
            head = email.message_from_bytes(b"".join(iter(received.readline, b"\r\n")))
            answer = json.loads(received.read(int(head["Content-Length"])))
            assert "result" in answer, answer
            return answer["result"]

        yield ask


def snapshot(ask: Callable[..., Any], infra: Path, entry: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """The evaluated deployment: {"predictedResources": […], "diagnostics": […], "outputs": {…}}."""
    values = parameters_of(entry, variables, infra)
    lines = [f"param {name} = {json.dumps(value)}".replace('"', "'") for name, value in values.items()]
    file = infra / "snapshot.bicepparam"
    file.write_text("\n".join([f"using '{entry}.bicep'", *lines]) + "\n", encoding="utf-8")
    where = {
        "tenantId": TENANT,
        "subscriptionId": SUBSCRIPTION,
        "resourceGroup": variables["AZURE_RESOURCE_GROUP"] if entry == "group" else None,
        "location": variables["AZURE_LOCATION"],
        # Nested deployments derive their names from the outer one's. Without a name their outputs stay unknown.
        "deploymentName": "azd",
    }
    found: dict[str, Any] = json.loads(
        ask("bicep/getSnapshot", path=str(file), metadata=where, externalInputs=None)["snapshot"]
    )
    return found
