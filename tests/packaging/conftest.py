"""The wheel is built once for all processes of a session, and so is each environment that it is installed in."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from emulator.stack import ROOT
from tests.packaging.elsewhere import INDEX, Project, environment, pip, reaches_an_index

EXTRAS = ("pytest", "pytest-recording", "pytest-asyncio", "openai")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str, Callable[[Path], None]], Path]:
    """`shared(name, make)` is a folder of the session that the first to ask makes."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent  # of pytest-xdist's workers

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        path, made = base / name, base / f"{name}.made"
        with FileLock(base / f"{name}.lock"):
            if not made.exists():
                make(path)
                made.touch()
        return path

    return folder


@pytest.fixture(scope="session")
def wheel(shared: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Of what git tracks, and of nothing that lies about."""

    def make(folder: Path) -> None:
        folder.mkdir()
        if not reaches_an_index(folder / "index"):
            return
        tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
        source = folder / "source"
        for name in filter(None, tracked):
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_bytes((ROOT / name).read_bytes())
        pip(sys.executable, "wheel", "-q", "--no-deps", "-w", folder, source)

    if not (built := sorted(shared("wheel", make).glob("azure_openai_emulator-*.whl"))):
        pytest.skip(INDEX)
    return built[0]


@pytest.fixture(scope="session")
def bare(wheel: Path, shared: Callable[[str, Callable[[Path], None]], Path]) -> str:
    """The interpreter of an environment with the wheel alone."""
    return _python(shared("bare", lambda folder: _install(folder, wheel)))


@pytest.fixture(scope="session")
def whole(wheel: Path, shared: Callable[[str, Callable[[Path], None]], Path]) -> str:
    """The interpreter of an environment with the wheel, its extras, and what other projects have beside it."""
    return _python(shared("whole", lambda folder: _install(folder, f"{wheel}[check,record]", *EXTRAS)))


@pytest.fixture
def project(whole: str, tmp_path: Path) -> Project:
    """With names that the function and its folder have, too."""
    made = Project(tmp_path, whole)
    for name in ("proxy.py", "function_app.py", "emulator.py"):
        made.write(name, "raise ImportError('this is of another project')\n")
    return made


def _install(folder: Path, *what: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder], env=environment(), check=True)
    pip(_python(folder), "install", "-q", *what)


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")
