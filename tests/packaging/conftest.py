"""A session builds the wheel, and each environment with it, once for all its processes."""

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
    """`shared(name, make)` gives a folder of the session. The first caller makes it."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent  # pytest-xdist's workers share the parent

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
    """The wheel, built of the files that git tracks alone."""

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
    """The Python of an environment with the wheel alone."""
    return _python(shared("bare", lambda folder: _install(folder, wheel)))


@pytest.fixture(scope="session")
def whole(wheel: Path, shared: Callable[[str, Callable[[Path], None]], Path]) -> str:
    """The Python of an environment with the wheel, its extras, and packages that other projects use."""
    return _python(shared("whole", lambda folder: _install(folder, f"{wheel}[check,record]", *EXTRAS)))


@pytest.fixture
def project(whole: str, tmp_path: Path) -> Project:
    """A project whose modules have the same names as the function's and the emulator's."""
    made = Project(tmp_path, whole)
    for name in ("proxy.py", "function_app.py", "emulator.py"):
        made.write(name, "raise ImportError('this is of another project')\n")
    return made


def _install(folder: Path, *what: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder], env=environment(), check=True)
    pip(_python(folder), "install", "-q", *what)


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")
