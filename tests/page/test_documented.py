"""The tests in docs/control.md run in their languages, and its tables have every route, field and error."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.page.routes import API, ROUTES
from emulator.stack import LocalStack
from tests.page.conftest import Running
from tests.pages import ROOT, blocks, text_of

PAGE = "docs/control.md"
RUNS = {  # language: the file's name, and the command that runs it
    "python": ("test_rate_limit.py", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]),
    "javascript": ("rate_limit.test.mjs", ["node", "--test"]),
    "go": ("rate_limit_test.go", ["go", "test"]),
    "java": ("RateLimitTest.java", ["java", "-ea"]),
}


def test_every_language_of_the_page_is_run() -> None:
    languages = set(re.findall(r"^```(\w+)$", text_of(PAGE), re.MULTILINE))
    assert languages - {"bash"} == set(RUNS)


def run(language: str, block: str, stack: LocalStack, folder: Path) -> "subprocess.CompletedProcess[str]":
    file, command = RUNS[language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    if command[0] == "go" and (old := go_before(1, 22)):
        pytest.skip(f"{old} is older than the page asks for")
    (folder / file).write_text(block, encoding="utf-8")
    environment = os.environ | {
        "PROXY_BASE_URL": stack.base_url,
        "CONTROL_URL": f"{stack.azure_base}/_emulator/",
        "FUNCTION_HOST_KEY": stack.function_key,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run([*command, file], cwd=folder, env=environment, capture_output=True, text=True, timeout=90)


def go_before(*asked: int) -> str | None:
    """The version, where it is an older one."""
    told = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()
    found = tuple(map(int, re.findall(r"\d+", told)[:2]))
    return told if found < asked else None


@pytest.mark.parametrize(
    "language",
    [pytest.param(name, marks=[] if name in ("python", "javascript") else pytest.mark.long) for name in RUNS],
)
def test_the_test_of_the_page_passes_as_it_stands(
    language: str, aoai_emulator_server: LocalStack, tmp_path: Path
) -> None:
    aoai_emulator_server.azure.reset()
    (block,) = blocks(PAGE, language)
    done = run(language, block, aoai_emulator_server, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = aoai_emulator_server.azure.journal.exchanges
    assert [exchange.status for exchange in asked] == [200, 429, 200], "it has asked"


def test_the_test_of_the_page_can_fail(aoai_emulator_server: LocalStack, tmp_path: Path) -> None:
    (block,) = blocks(PAGE, "python")
    done = run("python", block.replace("[429, 200]", "[200, 200]"), aoai_emulator_server, tmp_path)
    assert (done.returncode, "assert [429, 200] == [200, 200]" in done.stdout) == (1, True)


def rows(section: str) -> list[str]:
    """The first cells of the tables below a heading."""
    _, _, rest = text_of(PAGE).partition(f"## {section}\n")
    text = re.split(r"^##+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return [
        line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `") or line.startswith("| 4")
    ]


def spans(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_route_has_a_row() -> None:
    assert spans(rows("Routes")) == {f"{route.method} {route.shown}" for route in API}


def test_every_field_of_the_state_and_of_a_call_has_a_row(running: Running) -> None:
    running.ask()
    (row,) = running.get("calls")["calls"]
    queries = next(route.query for route in ROUTES if route.shown == "calls")
    assert spans(rows("State")) == set(running.get("state"))
    assert spans(rows("Calls")) == {*row, *queries}


def test_the_parts_of_every_answer_are_named(running: Running) -> None:
    running.ask()
    number = running.azure.journal.exchanges[-1].number
    told = dict(re.findall(r"^\| `GET ([^`]+)` \| (?:one row and )?`\{([^`]+)\}`", text_of(PAGE), re.MULTILINE))
    assert len(told) > 5
    for shown, parts in told.items():
        answer = running.get(shown.format(number=number, name="chat/question"))
        named = set(re.sub(r": \[\{.*\}\]", "", parts).split(", "))
        assert named <= set(answer), shown
        assert named == set(answer) or shown == "calls/{number}"


def test_every_error_has_a_row() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "emulator" / "page").glob("*.py"))
    raised = set(re.findall(r'Refusal\(\s*\d+,\s*"(\w+)"', source))
    named = set(re.findall(r"`(\w+)`", text_of(PAGE).partition("### Errors")[2].partition("## Who")[0])) - {"code"}
    assert raised == named
