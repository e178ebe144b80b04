"""`python -m emulator record` records any client until Ctrl-C."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI

from emulator.stack import ROOT
from emulator.tape import cassette
from tests.e2e.scenarios import chat, client_options
from tests.recording.conftest import Live
from tests.recording.test_with_pytest import environment


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emulator", "record", "--port", "0", *arguments]


@dataclass
class Session:
    """A `record` that runs until its context ends by Ctrl-C. `told` is then what it wrote on standard error."""

    described: dict[str, Any]
    told: str = ""

    def client(self) -> OpenAI:
        return OpenAI(**client_options(self.described["base_url"], self.described["function_key"]))


@contextmanager
def recording(live: Live, folder: Path, *options: str) -> Iterator[Session]:
    arguments = command("--cassettes", str(folder), "--cassette", "notebook/first", "--json", *options)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, cwd=ROOT, env=environment(live), text=True, **pipes) as running:
        assert running.stdout is not None
        session = Session(json.loads(running.stdout.readline()))
        yield session
        running.send_signal(signal.SIGINT)
        _, session.told = running.communicate(timeout=30)
    assert running.returncode == 0, session.told


def test_what_a_client_asks_is_recorded_until_ctrl_c(live: Live, folder: Path) -> None:
    with recording(live, folder) as session, session.client() as client:
        chat.question(client)
        list(chat.story(client))
    told = session.told
    assert len(cassette.load(folder / "notebook/first.yaml").interactions) == 2
    assert "recorded for notebook/first: POST /openai/v1/chat/completions: 200, 24 frames, complete" in told
    assert "2 requests" in told


def test_of_a_class_it_says_what_the_tape_has_saved(live: Live, folder: Path) -> None:
    with recording(live, folder, "--share") as session:
        with session.client() as client:
            for _ in range(3):
                chat.question(client)
        state = httpx.get(f"{session.described['azure_base']}/_emulator/state").json()["recording"]
    assert len(live.azure.journal.exchanges) == len(cassette.load(folder / "notebook/first.yaml").interactions) == 1
    assert (state["spent"]["requests"], state["saved"]["requests"]) == (1, 2)
    assert "from the tape: 2 of 3 calls, " in session.told
    assert "(67%)" in session.told


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        ((), {"AZURE_OPENAI_BASE": ""}, "To record, set AZURE_OPENAI_BASE to the live resource"),
        ((), {"AZURE_OPENAI_BASE": "http://example.com"}, "To record, set AZURE_OPENAI_BASE to the live resource"),
        ((), {"AZURE_OPENAI_DEPLOYMENT": ""}, "To record, set AZURE_OPENAI_DEPLOYMENT to a deployment"),
        (("--cassette", "../x"), {}, "'../x' is no cassette's name"),
        (("--share", "--record-mode", "all"), {}, "--share asks what has no recording: it goes with"),
        (("chat/question",), {}, "NAME is for --verify. To choose the cassette, write --cassette NAME."),
    ],
)
def test_what_is_missing_is_said(live: Live, arguments: tuple[str, ...], env: dict[str, str], told: str) -> None:
    done = subprocess.run(
        command(*arguments), cwd=ROOT, env=environment(live, **env), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {told}")
