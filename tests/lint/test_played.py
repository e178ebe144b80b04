"""The emulator collects which recordings the tests play, from every process of a session."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.match.library import PLAYED, Library
from emulator.pytest_plugin import pytest_configure
from emulator.stack import ROOT
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.route import parse
from tests.support import AZURE, recording

BODY = b'{"model":"m"}'


def play(library: Library) -> None:
    route = parse(AZURE + "chat/completions")
    assert route is not None
    take = library.take(key_of("POST", route, parse_body(BODY)), route.generation, BODY)
    assert take is not None
    library.played(take)


def test_a_played_recording_is_noted_once_and_one_given_back_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "played.txt"
    monkeypatch.setenv(PLAYED, str(file))
    library = Library([recording(BODY, b"{}")])
    assert not file.exists()
    play(library)
    play(library)
    assert file.read_text() == "made up #1\n"


def test_nothing_is_noted_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLAYED, raising=False)
    monkeypatch.chdir(tmp_path)
    play(Library([recording(BODY, b"{}")]))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_leaves_what_others_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-xdist may replace a worker in mid-session."""
    monkeypatch.setenv(PLAYED, "")  # monkeypatch restores it after the test
    file = tmp_path / "played.txt"
    file.write_text("one #1\n")
    asked = {"aoai_emulator_played": "played.txt"}
    options = {"getoption": asked.get, "addinivalue_line": lambda *_: None, "workerinput": {}, "stash": {}}
    worker: Any = SimpleNamespace(invocation_params=SimpleNamespace(dir=tmp_path), **options)
    pytest_configure(worker)
    assert file.read_text() == "one #1\n"
    assert os.environ[PLAYED] == str(file)


TESTS = """
import os, subprocess, sys
from emulator.match.library import PLAYED, _collect

def test_one():
    _collect(os.environ[PLAYED], "one #1")

def test_two():
    code = "import os; from emulator.match.library import PLAYED, _collect; _collect(os.environ[PLAYED], 'two #1')"
    subprocess.run([sys.executable, "-c", code], check=True)
"""


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_a_session_begins_with_an_empty_file_that_all_its_processes_write(
    workers: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "test_these.py").write_text(TESTS)
    (tmp_path / "played.txt").write_text("of an earlier session #1\n")
    (tmp_path / "conftest.py").write_text("pytest_plugins = ['emulator.pytest_plugin']\n")
    command = [sys.executable, "-m", "pytest", "-q", "--emulator-played=played.txt"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([*command, *workers], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert sorted((tmp_path / "played.txt").read_text().splitlines()) == ["one #1", "two #1"]
