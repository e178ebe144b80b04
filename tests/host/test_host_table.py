"""Each row of emulator/host/README.md names a test that proves it: with the row broken, that test fails."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.host.hosts import HERE, ROOT
from tests.host.planted import PLANTED

SOURCES = ("emulator", "proxy", "tests", "function_app.py", "host.json", "pyproject.toml")
SURE = re.compile(r"(recorded|run|source|issue \w+#\d+|[HAYNW])")


class Row(NamedTuple):
    name: str
    behaviour: str
    sure: str
    test: str


README = (ROOT / "emulator/host/README.md").read_text("utf-8")
ROW = re.compile(r"^\| ([^*|]+) \| ([^|]+) \| ([^|]+) \| `([^|`]+)` \|$", re.MULTILINE)
ROWS = [Row(*found) for found in ROW.findall(README)]


def functions(file: str) -> set[str]:
    tree = ast.parse((HERE / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_line_of_the_table_is_read() -> None:
    table = README.partition("## What it does\n")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| **", "| |"))]
    assert len(lines) == len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_row_says_how_sure_it_is_and_names_a_test_that_there_is(row: Row) -> None:
    assert all(SURE.fullmatch(kind) for kind in row.sure.split(", "))
    file, _, test = row.test.partition("::")
    assert test in functions(file)


def test_each_row_has_a_way_to_break_it() -> None:
    assert sorted(PLANTED) == sorted(row.name for row in ROWS)


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_broken_stands_there_once_and_still_compiles(name: str) -> None:
    planted = PLANTED[name]
    source = (ROOT / "emulator/host" / planted.file).read_text("utf-8")
    assert source.count(planted.text) == 1
    compile(source.replace(planted.text, planted.replacement), planted.file, "exec")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_test_of_a_row_fails_where_the_row_is_broken(row: Row, copy: Path) -> None:
    planted = PLANTED[row.name]
    file = copy / "emulator/host" / planted.file
    sound = file.read_text("utf-8")
    file.write_text(sound.replace(planted.text, planted.replacement), "utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/host/{row.test}"],
            cwd=copy,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
        )
    finally:
        file.write_text(sound, "utf-8")
    assert done.returncode == 1, f"exit {done.returncode}: {done.stdout[-2000:]}"
    assert not re.search("^E +Failed: the host did not start", done.stdout, re.MULTILINE)
