"""After `azd up`, .env has the URL and the key, and everything that was in it before."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from emulator.stack import ROOT

BEFORE = "# mine\nOTHER=1\nexport PROXY_BASE_URL=https://old\nMY_PROXY_BASE_URL=2\nFUNCTION_HOST_KEY=old"
KEPT = "# mine\nOTHER=1\nMY_PROXY_BASE_URL=2\n"
OUTPUTS = {
    "PROXY_BASE_URL": "https://func-x.azurewebsites.net/api/v1",
    "PROXY_KEY_COMMAND": "az functionapp keys list --name func-x",
    "AZURE_SUBSCRIPTION_ID": "sub-x",
    "AZURE_RESOURCE_GROUP": "rg-x",
    "AZURE_FUNCTION_APP": "func-x",
}
SHELLS = {"sh": "write-env.sh", "pwsh": "write-env.ps1"}


def write_env(folder: Path, shell: str, az: str) -> str:
    """What the hook prints, in a project in `folder`, where the Azure CLI is the script `az`."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    (folder / "infra").mkdir()
    (folder / "bin").mkdir()
    shutil.copy(ROOT / "infra" / SHELLS[shell], folder / "infra")
    (folder / "bin/az").write_text("#!/bin/sh\n" + az)
    (folder / "bin/az").chmod(0o755)
    environment = {**OUTPUTS, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    ran = subprocess.run(
        [shell, folder / "infra" / SHELLS[shell]],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_url_and_key_are_written_and_other_lines_stay(tmp_path: Path, shell: str) -> None:
    (tmp_path / ".env").write_text(BEFORE)
    told = write_env(tmp_path, shell, 'echo "$@" >"$HOME/asked"; echo the-key==')
    written = f"PROXY_BASE_URL={OUTPUTS['PROXY_BASE_URL']}\nFUNCTION_HOST_KEY=the-key==\n"
    assert (tmp_path / ".env").read_text() == KEPT + written
    assert (
        "--subscription sub-x --resource-group rg-x --name func-x --query functionKeys.default"
        in (tmp_path / "asked").read_text()
    )
    assert OUTPUTS["PROXY_BASE_URL"] in told
    assert "the-key" not in told


@pytest.mark.parametrize("shell", SHELLS)
def test_an_old_key_stays_while_there_is_no_new_one(tmp_path: Path, shell: str) -> None:
    (tmp_path / ".env").write_text(BEFORE)
    told = write_env(tmp_path, shell, "echo host is starting >&2; exit 1")
    assert (tmp_path / ".env").read_text() == (
        f"# mine\nOTHER=1\nMY_PROXY_BASE_URL=2\nFUNCTION_HOST_KEY=old\nPROXY_BASE_URL={OUTPUTS['PROXY_BASE_URL']}\n"
    )
    assert OUTPUTS["PROXY_KEY_COMMAND"] in told


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_env(tmp_path, "sh", "echo the-key")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / ".env.new").exists()
