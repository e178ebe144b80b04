"""The tests of the host can test any other host, which HOST_UNDER_TEST names."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host import core_tools
from tests.host.elsewhere import ANYWHERE_ELSE, BEHIND_A_FRONT_END, WITHOUT_FLEX
from tests.host.hosts import HERE, ROOT, SAMPLE_APP, running
from tests.host.run_app import KEYS

SKIPPED = ANYWHERE_ELSE | WITHOUT_FLEX | BEHIND_A_FRONT_END


def test_what_is_skipped_there_is_a_test_that_asks_a_host() -> None:
    trees = (ast.parse(path.read_text("utf-8")) for path in HERE.glob("test_*.py"))
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    asking = {function.name for function in functions if "host" in [argument.arg for argument in function.args.args]}
    assert SKIPPED.keys() <= asking


def test_another_host_answers_the_tests_and_what_is_skipped_says_why() -> None:
    files = ("test_conformance.py", "test_host_messages.py", "test_host_streams.py")
    with running("public") as host:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/host/{file}" for file in files)],
            cwd=ROOT,
            env=os.environ | {"HOST_UNDER_TEST": f"http://localhost:{host.port}", "FUNCTION_HOST_KEY": "another-key"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        assert [
            reason for reason in {*ANYWHERE_ELSE.values(), *WITHOUT_FLEX.values()} if reason not in done.stdout
        ] == []


def test_a_host_that_answers_otherwise_fails_them() -> None:
    with running("public", app=HERE / "recorded/app") as host:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/host/test_conformance.py"],
            cwd=ROOT,
            env=os.environ | {"HOST_UNDER_TEST": f"http://localhost:{host.port}"},
            capture_output=True,
        )
    assert done.returncode == 1


@pytest.mark.parametrize("app", [SAMPLE_APP, HERE / "recorded/app", ROOT], ids=["sample", "recorded", "function"])
def test_core_tools_get_the_app_and_the_keys_of_the_tests(app: Path, tmp_path: Path) -> None:
    core_tools.main(str(app), str(tmp_path / "made"))
    assert (tmp_path / "made/function_app.py").read_bytes() == (app / "function_app.py").read_bytes()
    assert (tmp_path / "made/proxy").is_dir() == (app / "proxy").is_dir()
    keys = json.loads((tmp_path / "made" / core_tools.KEY_FILE).read_text())
    assert keys["masterKey"] == {"name": "master", "value": KEYS["_master"], "encrypted": False}
    assert [key["value"] for key in keys["functionKeys"]] == [KEYS["default"], KEYS["named"]]
    assert "FUNCTIONS_WORKER_RUNTIME" in json.loads((tmp_path / "made/local.settings.json").read_text())["Values"]
