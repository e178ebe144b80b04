"""`python -m emulator record` records any client until Ctrl-C."""

import json
import signal
import subprocess
import sys
from pathlib import Path

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


def test_what_a_client_asks_is_recorded_until_ctrl_c(live: Live, folder: Path) -> None:
    arguments = command("--cassettes", str(folder), "--cassette", "notebook/first", "--json")
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environment(live), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        described = json.loads(running.stdout.readline())
        with OpenAI(**client_options(described["base_url"], described["function_key"])) as client:
            chat.question(client)
            list(chat.story(client))
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 0, told
    assert len(cassette.load(folder / "notebook/first.yaml").interactions) == 2
    assert "recorded for notebook/first: POST /openai/v1/chat/completions: 200, 24 frames, complete" in told
    assert "2 requests" in told


def test_of_a_class_it_says_what_the_tape_has_saved(live: Live, folder: Path) -> None:
    arguments = command("--cassettes", str(folder), "--cassette", "notebook/first", "--share", "--json")
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environment(live), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        described = json.loads(running.stdout.readline())
        with OpenAI(**client_options(described["base_url"], described["function_key"])) as client:
            for _ in range(3):
                chat.question(client)
        recording = httpx.get(f"{described['azure_base']}/_emulator/state").json()["recording"]
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 0, told
    assert len(live.azure.journal.exchanges) == len(cassette.load(folder / "notebook/first.yaml").interactions) == 1
    assert (recording["spent"]["requests"], recording["saved"]["requests"]) == (1, 2)
    assert "from the tape: 2 of 3 calls, " in told
    assert "(67%)" in told


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
