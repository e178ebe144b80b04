"""The demo shows five calls through the whole chain, and ends properly."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from emulator import cli, demo
from emulator.stack import ROOT
from tests.pages import blocks

pytest.importorskip("dspy")

COMMAND = [sys.executable, "-m", "emulator", "demo"]
CALLS = [
    "POST /api/v1/chat/completions",
    "POST /api/v1/chat/completions, stream=True",
    "POST /api/v1/responses",
    "POST /api/v1/responses, stream=True",
    "POST /api/v1/chat/completions",
]


def test_without_a_terminal_it_is_one_round(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one step, with clients that are loaded already."""
    monkeypatch.setattr(demo, "STEPS", demo.STEPS[:1])
    monkeypatch.setattr(demo, "load_clients", lambda: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert cli.main(["demo"]) == 0
    shown = capsys.readouterr()
    assert "This was one round" in shown.out
    assert_calls(shown.out, CALLS[:1])


@pytest.mark.long
def test_without_a_terminal_it_shows_five_calls_and_ends() -> None:
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    assert_whole(done.stdout)


def assert_whole(shown: str) -> None:
    """The output has all five calls, the commands to repeat them, and the README's excerpt."""
    timings = assert_calls(shown, CALLS)
    streamed = [re.search(r"after (\S+) s, (\d+) pieces in (\S+) s", timing) for timing in timings]
    for found in (streamed[1], streamed[3]):
        assert found
        assert int(found[2]) > 5
        assert float(found[1]) < float(found[3]), "the text arrived in more than one moment"
    assert re.search(r"^curl http://127\.0\.0\.1:\d+/api/v1/chat/completions -H 'x-functions-key: ", shown, re.M)
    assert "from openai import OpenAI" in shown
    (readme,) = [block for block in blocks("README.md", "") if "Starting the fake Azure" in block]
    printed = {re.sub(r"\d+", "0", line) for line in [*shown.splitlines(), "…"]}
    assert {re.sub(r"\d+", "0", line) for line in readme.splitlines()} <= printed


def assert_calls(shown: str, calls: list[str]) -> list[str]:
    """The output has each call with its answer and the given times."""
    steps = re.findall(r"^\d\. .*\n   (.*)\n   > (.+(?:\n     .*)*)\n   (.*)$", shown, re.MULTILINE)
    assert [call for call, _, _ in steps] == calls
    for _, answer, timing in steps:
        assert len(answer) > 3
        assert re.fullmatch(r"(answer|first token) after \d+\.\d\d s(, \d+ pieces in \d+\.\d\d s)?", timing)
    return [timing for _, _, timing in steps]


def pieces_of(*pieces: Any, error: Exception | None = None) -> Iterator[Any]:
    yield from pieces
    if error:
        raise error


ODD = {  # name: (the pieces of an answer, whether the step worked, the output)
    "nothing": (lambda: pieces_of(), True, "(an answer without text)"),
    "nothing in pieces": (lambda: pieces_of("", None, ""), True, "(an answer without text)"),
    "a list": (lambda: pieces_of(["a", "b"]), True, "['a', 'b']"),
    "an error without words": (
        lambda: pieces_of("a", error=ValueError()),
        False,
        "failed: ValueError: it says no more",
    ),
    "an error of many lines": (lambda: pieces_of(error=ValueError("a\nb")), False, "failed: ValueError: a\n"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_shown_and_never_ends_in_a_traceback(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pieces, worked, shown = ODD[name]
    stack = SimpleNamespace(base_url="", function_key="")
    step = demo.Step("a client", "a call", lambda *_: pieces())
    assert demo.show(1, step, stack) == worked  # type: ignore[arg-type]
    assert shown in capsys.readouterr().out


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dspy", None)
    assert "pip install -r requirements-dev.txt" in str(demo.load_clients())


def test_in_a_terminal_it_waits_for_the_calls_it_told_of_until_ctrl_c() -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(COMMAND, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    shown = []
    try:
        for line in process.stdout:
            shown.append(line)
            if "Ctrl-C stops it" in line:
                break
        assert process.poll() is None, "".join(shown)
        assert_whole("".join(shown))
        told = "".join(shown).split("Call it yourself:")[1].split("It keeps running")[0]
        curl, python = re.split(r"^(?=from openai)", told, maxsplit=1, flags=re.MULTILINE)
        for command in (["bash", "-c", curl], [sys.executable, "-c", python]):
            assert "Paris" in subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=20) == 0
        assert "Stopped." in rest
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(ours)
        os.close(theirs)
