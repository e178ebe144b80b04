"""Every run of pytest loads the installed plugin. It changes nothing for tests that do not use the emulator."""

import subprocess
import sys
from pathlib import Path

import pytest

from emulator.stack import ROOT
from tests.packaging.elsewhere import ALONE, ASKED, Project, environment

ORDERS = (("emulator.pytest_plugin", "pytest_recording.plugin"), ("pytest_recording.plugin", "emulator.pytest_plugin"))
TEST = f"""
def test_somebody_is_there(proxy_base_url, function_key):
    import httpx
    headers = {{"x-functions-key": function_key}}
    answer = httpx.post(f"{{proxy_base_url}}/chat/completions", json={ASKED!r}, headers=headers)
    assert answer.json()["choices"][0]["message"]["content"] == "Yes."
"""  # without openai, whose import costs as much as the rest of a run


@pytest.fixture
def other(tmp_path: Path) -> Project:
    return Project.of_the_checkout(tmp_path)


def test_loading_the_plugin_imports_nothing_of_others() -> None:
    code = """
import sys
import _pytest, pytest, importlib.metadata
import emulator.pytest_plugin
ours = {name for name in sys.modules if name.split('.')[0] not in {*sys.stdlib_module_names, *of_pytest}}
print(sorted(ours))
"""
    setup = "import sys, pytest\nof_pytest = {name.split('.')[0] for name in sys.modules}\n"
    printed = subprocess.check_output([sys.executable, "-c", setup + code], cwd=ROOT, env=environment(), text=True)
    assert eval(printed) == [  # noqa: S307  the lines above printed it
        "emulator",
        "emulator.bundle",
        "emulator.option",
        "emulator.pytest_plugin",
        "emulator.recording",
        "emulator.recording.mode",
        "emulator.recording.options",
    ]


def test_other_tests_keep_their_environment(other: Project) -> None:
    other.record()
    other.write("tests/test_mine.py", f"import os\n{TEST}    assert 'OPENAI_API_KEY' not in os.environ\n")
    other.write(
        "tests/test_other.py",
        """
import os

def test_other():
    assert os.environ["OPENAI_API_KEY"] == "of another provider"
    assert os.environ["PROXY_URL"] == "http://proxy.example"
    assert "DSPY_CACHEDIR" not in os.environ
    assert "LITELLM_LOCAL_MODEL_COST_MAP" not in os.environ
""",
    )
    status, told = other.pytest(OPENAI_API_KEY="of another provider", PROXY_URL="http://proxy.example")
    assert status == 0, told


@pytest.mark.long
def test_what_the_fixtures_of_a_test_set_stays_set(other: Project) -> None:
    other.record()
    other.write(
        "tests/test_mine.py",
        f"""
import os, pytest

@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of the test")
{TEST}    assert os.environ["OPENAI_API_KEY"] == "of the test"
""",
    )
    status, told = other.pytest(OPENAI_API_KEY="of another provider")
    assert status == 0, told


@pytest.mark.long
def test_options_of_a_project_are_its_own(other: Project) -> None:
    names = ("--max-tokens", "--record-errors", "--emulator-played")
    lines = "".join(f"    parser.addoption({name!r}, default='theirs')\n" for name in names)
    other.write("conftest.py", f"def pytest_addoption(parser):\n{lines}")
    asked = " and ".join(f"pytestconfig.getoption({name!r}) == 'mine'" for name in names)
    other.write("test_it.py", f"def test_it(pytestconfig):\n    assert {asked}\n")
    status, told = other.pytest(*(f"{name}=mine" for name in names))
    assert status == 0, told
    status, told = other.pytest("--help")
    assert status == 0, told
    assert "--max-requests=N" in told


@pytest.mark.parametrize("order", [ORDERS[0], pytest.param(ORDERS[1], marks=pytest.mark.long)])
def test_pytest_recording_works_beside_it(order: tuple[str, str], other: Project) -> None:
    other.record()
    foreign = "interactions:\n- request: {method: GET, uri: 'https://api.example/x', headers: {}, body: null}\n"
    answer = "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: theirs}}\nversion: 1\n"
    other.write("tests/cassettes/test_both/test_theirs.yaml", foreign + answer)
    theirs = "import pytest, requests\n\n@pytest.mark.vcr\ndef test_theirs():\n"
    other.write(
        "tests/test_both.py", f"{theirs}    assert requests.get('https://api.example/x').text == 'theirs'\n{TEST}"
    )
    plugins = {"PYTEST_PLUGINS": ",".join(order)}
    for mode in ((), ("--record-mode=once",)) if order == ORDERS[0] else ((), ("--record-mode=none",)):
        status, told = other.pytest("--strict-markers", *mode, **plugins)
        assert status == 0, told
        assert "2 passed" in told
        assert "recorded" not in told, "there is no live service to record"


@pytest.mark.long
def test_without_pytest_recording_the_record_mode_is_ours(other: Project) -> None:
    other.write("test_it.py", "def test_it(pytestconfig):\n    assert pytestconfig.option.record_mode == 'none'\n")
    for plugins in ({ALONE: ""}, {ALONE: "1"}):
        status, told = other.pytest("--record-mode=none", "-p", "no:recording", **plugins)
        assert status == 0, told


def test_a_record_mode_in_ci_does_not_touch_other_tests(other: Project) -> None:
    other.write("test_it.py", "def test_it():\n    pass\n")
    status, told = other.pytest("--record-mode=rewrite", CI="true")
    assert status == 0, told


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (["tests/cassettes", "cassettes"], ["tests/cassettes", "cassettes"]),
        (["cassettes"], ["cassettes"]),
        (["tests"], ["tests/cassettes"]),
        ([], ["cassettes"]),
        (["cassettes", "elsewhere"], ["elsewhere"]),
    ],
    ids=", ".join,
)
def test_the_cassettes_are_those_of_the_project(folders: list[str], found: list[str], other: Project) -> None:
    for folder in folders:
        (other.folder / folder).mkdir(parents=True)
    ini = "aoai_cassettes = elsewhere\n" if "elsewhere" in folders else ""
    other.write("pytest.ini", f"[pytest]\n{ini}")
    other.write("test_it.py", "def test_it(aoai_cassette_folders):\n    print(*aoai_cassette_folders, sep=chr(10))\n")
    status, told = other.pytest("-s")
    assert status == 0, told
    assert [line.removeprefix(f"{other.folder}/") for line in told.splitlines() if line.startswith("/")] == found
