"""The calls of a run of tests as a file, and the page of that file."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import cli
from emulator.bundle import CASSETTES, ROOT
from emulator.failure import UsageError
from emulator.page import kept, reading
from emulator.page.routes import API
from tests.page.conftest import PLAIN, STREAM, Running
from tests.page.test_access import BODIES

TESTS = """
import httpx
import pytest

@pytest.fixture
def ask(proxy_base_url, function_key):
    def ask(text):
        body = {"messages": [{"role": "user", "content": text}], "model": "gpt-4o-mini"}
        headers = {"x-functions-key": function_key}
        return httpx.post(f"{proxy_base_url}/chat/completions", json=body, headers=headers).status_code
    return ask

def test_answered(ask):
    assert ask("What is a proxy, in one sentence?") == 200

@pytest.mark.parametrize("number", range(3))
@pytest.mark.aoai_allow_unmatched
def test_missed(ask, function_key, number):
    assert ask(f"Nobody asked this before: {number}, {function_key}, sk-proj-" + "a1B2" * 12) == 424
"""


def page_of(file: Path, *more: str) -> Any:
    arguments = cli.parser().parse_args(["page", str(file), "--page-port", "0", "--cassettes", str(CASSETTES), *more])
    return reading.reading(arguments)


def write(running: Running, path: Path) -> None:
    kept.append(path, "tests/test_story.py::test_it", running.azure.journal, [running.azure.api_key])


def without_what_differs(told: dict[str, Any]) -> dict[str, Any]:
    return told | {"number": 0, "at": "", "ms": 0, "first_ms": 0, "test": None}


def test_a_file_tells_what_the_journal_told(running: Running, tmp_path: Path) -> None:
    running.azure.time_scale = 0.5
    running.ask(STREAM)
    running.ask(PLAIN.replace(b"planets", b"moons"))
    running.azure.misbehave("silent_truncation; at_frame=2")
    running.ask(STREAM)
    running.client.post("/openai/v1/chat/completions?code=made-up", content=b"\xff\xfe", headers={"api-key": "wrong"})
    before = [running.get(f"calls/{exchange.number}") for exchange in running.azure.journal.exchanges]
    frames = [running.get(f"calls/{exchange.number}/frames") for exchange in running.azure.journal.exchanges]
    write(running, tmp_path / "journal")
    with page_of(tmp_path / "journal") as told, httpx.Client(base_url=told["page"], trust_env=False) as client:
        rows = client.get("calls").json()["calls"]
        assert [row["number"] for row in rows] == [1, 2, 3, 4]
        assert {row["test"] for row in rows} == {"tests/test_story.py::test_it"}
        for number, (call, left) in enumerate(zip(before, frames, strict=True), 1):
            assert without_what_differs(client.get(f"calls/{number}").json()) == without_what_differs(call)
            again = client.get(f"calls/{number}/frames").json()
            for name in ("planned", "outcome", "schedule"):
                assert again[name] == left[name]
            assert [frame["data"] for frame in again["frames"]] == [frame["data"] for frame in left["frames"]]
        assert client.get("calls/2/difference").json()["summary"]
        assert client.get("state").json()["mode"] == "reading"


def test_nothing_of_it_can_be_changed(running: Running, tmp_path: Path) -> None:
    running.ask()
    write(running, tmp_path / "journal")
    with page_of(tmp_path / "journal") as told, httpx.Client(base_url=told["page"], trust_env=False) as client:
        for route in API:
            if route.method != "GET":
                body = {} if route.method == "DELETE" else {"json": BODIES.get(route.shown, {})}
                refused = client.request(route.method, route.shown, **body)
                assert (refused.status_code, refused.json()["error"]["code"]) == (409, "read_only"), route
        assert len(client.get("calls").json()["calls"]) == 1
        began = time.monotonic()
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "line", ["{}", "[]", "nothing", '{"began": "x"}', "null", "[" * 5_000], ids=lambda line: line[:16]
)
def test_what_pytest_did_not_write_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "journal").write_text(f"{line}\n")
    with pytest.raises(UsageError, match="line 1 is none that pytest"):
        kept.read(tmp_path / "journal")
    with pytest.raises(UsageError, match="cannot be read"):
        kept.read(tmp_path / "nothing")


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.long)])
def test_every_worker_of_a_run_keeps_its_calls_and_no_key(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_calls.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\naoai_cassettes = {CASSETTES}\n")
    plugins = ("-p", "emulator.pytest_plugin", "-p", "xdist", "-n", workers)
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "--emulator-journal=kept.jsonl"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "kept.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert sorted((line["test"].partition("::")[2], line["status"]) for line in lines) == [
        ("test_answered", 200),
        *((f"test_missed[{number}]", 424) for number in range(3)),
    ]
    missed = [line for line in lines if line["status"] == 424]
    assert all("Nobody asked this before: " in line["body"] for line in missed)
    assert "sk-proj-" not in text
    assert "a1B2" not in text
    assert all(line["body"].count("hidden, hidden") == 1 for line in missed), "the host's key, and one of OpenAI's form"
    assert missed[0]["miss"] == kept.QUOTED, "a message quotes a part of a text, by which nobody knows a key"
    with page_of(tmp_path / "kept.jsonl") as told:
        assert len(httpx.get(f"{told['page']}calls").json()["calls"]) == 4
