"""`azd up` makes the salt of the fingerprints, once, and at random."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emulator.stack import ROOT

SHELLS = {"sh": "make-salt.sh", "pwsh": "make-salt.ps1"}


def make_salt(folder: Path, shell: str, **settings: str) -> list[str]:
    """What the hook makes azd set, where the environment has these settings."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    azd = folder / "azd"
    azd.write_text('#!/bin/sh\necho "$@" >>"$HOME/asked"\n')
    azd.chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **settings}
    subprocess.run([shell, ROOT / "infra" / SHELLS[shell]], env=environment, check=True, timeout=60)
    asked = folder / "asked"
    return asked.read_text().splitlines() if asked.exists() else []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_deployment_gets_a_salt_of_its_own(tmp_path: Path, shell: str) -> None:
    first, second = (make_salt(tmp_path, shell)[-1] for _ in range(2))
    assert re.fullmatch(r"env set PROXY_KEY_SALT [0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize("shell", SHELLS)
def test_a_salt_that_is_there_stays(tmp_path: Path, shell: str) -> None:
    assert make_salt(tmp_path, shell, PROXY_KEY_SALT="0123456789abcdef") == []
