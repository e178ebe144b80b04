"""The package of `azd up` runs with its own files, the packages for Python 3.13 and Microsoft's worker alone.

The test downloads what Azure installs: TEST_PACKAGE=1 python3.13 -m pytest tests/packaging
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from emulator import demo
from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.stack import CASSETTES, ROOT
from tests.host import run_app
from tests.trust import trusting

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("TEST_PACKAGE"), reason="set TEST_PACKAGE=1: it downloads what Azure installs"
    ),
    pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="Azure runs the function on Python 3.13"),
    pytest.mark.timeout(300),  # downloads take long
]
PACKAGES = ".python_packages/lib/site-packages"
KEY = run_app.KEYS["default"]
LOCKS = ("requirements-dev.txt", "requirements-openai3.txt")  # the other locks' versions are among these


def install(target: Path, version: str, machine: str, *options: str) -> int:
    """Installs requirements.txt as Azure's remote build does, for any Python and machine."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "--only-binary=:all:", *options]
    command += ["--target", str(target), "--python-version", version, "--platform", machine]
    return subprocess.run([*command, "-r", str(ROOT / "requirements.txt")], env=trusting(dict(os.environ))).returncode


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's folder in Azure: the files that .funcignore lets through, and the packages of requirements.txt."""
    folder = tmp_path_factory.mktemp("wwwroot")
    tracked, ignored = (
        set(subprocess.check_output(["git", "ls-files", *options], cwd=ROOT, text=True).splitlines())
        for options in ((), ("--cached", "--ignored", "--exclude-from=.funcignore"))  # .gitignore's rules
    )
    for name in tracked - ignored:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    assert install(folder / PACKAGES, "3.13", "manylinux2014_x86_64") == 0
    return folder


@pytest.fixture
def base_url(package: Path, tmp_path: Path) -> Iterator[str]:
    """The package in the local host. Its Python sees the standard library, the package, Microsoft's worker, which
    Azure brings, and the host's own code. The host needs no other package."""
    for name in ("azure_functions_runtime", "emulator"):
        spec = find_spec(name)
        assert spec
        assert spec.origin
        (tmp_path / name).symlink_to(Path(spec.origin).parent)
    with serving(azure := FakeAzure(Library.from_folders([CASSETTES])), bind(0)) as azure_base:
        process = subprocess.Popen(
            [sys.executable, "-S", "-P", run_app.__file__, str(package), "--backend", "runtime"],
            env={
                "PYTHONPATH": f"{package / PACKAGES}:{tmp_path}",
                "AZURE_OPENAI_BASE": azure_base,
                "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
                "IDENTITY_ENDPOINT": azure_base + IDENTITY_PATH,
                "IDENTITY_HEADER": azure.identity.header,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        port, routes = process.stdout.readline(), process.stdout.readline()
        assert json.loads(routes)
        yield f"http://127.0.0.1:{port.strip()}/api/v1"
        process.terminate()
        process.communicate(timeout=20)


def test_the_package_answers_with_nothing_else_on_the_path(base_url: str) -> None:
    for ask in (demo.chat, demo.streamed_chat, demo.response, demo.streamed_response):
        assert "".join(ask(base_url, KEY)).strip()


@pytest.mark.parametrize(
    ("version", "machine"),
    [
        ("3.11", "manylinux2014_x86_64"),  # Azure built an app of 3.13 with it (Azure/azure-dev#8538)
        ("3.12", "manylinux2014_x86_64"),
        ("3.14", "manylinux2014_x86_64"),
        ("3.13", "manylinux2014_aarch64"),
    ],
)
def test_a_build_for_another_interpreter_fails(tmp_path: Path, version: str, machine: str) -> None:
    assert install(tmp_path, version, machine, "--dry-run") != 0


@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-apple-darwin", "windows"])
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("lock", LOCKS)
def test_everybody_can_install_a_lock_without_a_compiler(
    tmp_path: Path, lock: str, version: str, platform: str
) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-config", "--no-python-downloads"]
    command += ["--require-hashes", "--only-binary", ":all:", "--target", str(tmp_path), "--python", sys.executable]
    command += ["--python-version", version, "--python-platform", platform, "-r", lock]
    assert subprocess.run(command, cwd=ROOT, env=trusting(dict(os.environ))).returncode == 0
