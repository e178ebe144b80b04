"""The control API shows what a miss differs in, and exports a call as a command, a program, JSON or a cassette."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from emulator import cli
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.page.export import FILL_IN
from emulator.tape import cassette
from tests.page.conftest import ANSWER, PLAIN, STREAM, Running
from tests.support import recording

CHANGED = PLAIN.replace(b"planets", b"moons")


def last(running: Running) -> int:
    return running.azure.journal.exchanges[-1].number


def export(running: Running, form: str) -> Any:
    return running.api("GET", f"calls/{last(running)}/export?as={form}")


def test_a_miss_names_the_nearest_and_what_differs(running: Running) -> None:
    running.ask(CHANGED)
    told = running.get(f"calls/{last(running)}/difference")
    assert told["wanted"] == {"name": "made/planets", "number": 1}
    assert [near["name"] for near in told["nearest"]] == ["made/planets", "made/story"]
    before, row = told["rows"]
    assert (before["kind"], before["folded"]) == ("same", "1 equal line"), "who speaks"
    assert 1 < row.pop("weight") < 2
    assert row == {
        "path": "messages[0].content",
        "kind": "changed",
        "recorded": "Name the planets.",
        "sent": "Name the moons.",
        "parts": {"recorded": ["Name the ", "planets.", ""], "sent": ["Name the ", "moons.", ""]},
        "folded": None,
    }
    assert told["summary"] == "only messages[0].content differs"
    assert not told["would_match"]


def test_another_recording_can_be_chosen(running: Running) -> None:
    running.ask(CHANGED)
    told = running.get(f"calls/{last(running)}/difference?with=made/story&number=1")
    assert told["summary"] == "2 differences"
    assert {(row["path"], row["kind"]) for row in told["rows"] if row["kind"] != "same"} == {
        ("messages[0].content", "changed"),
        ("stream", "only_recorded"),
    }
    for query in ("with=made/story&number=2", "with=nothing"):
        assert running.api("GET", f"calls/{last(running)}/difference?{query}").status_code == 404
    assert running.api("GET", f"calls/{last(running)}/difference?number=2").status_code == 400


def test_the_commands_that_mend_a_miss_are_commands(running: Running) -> None:
    running.ask(CHANGED)
    ways = running.get(f"calls/{last(running)}/difference")["ways"]
    record, pytest_run, stub = [way["text"] for way in ways]
    words = record.split(" record ", 1)[1].split()
    assert cli.parser().parse_args(["record", *words]).cassette == "made/planets"
    assert pytest_run.startswith("pytest --record-mode=")
    assert '@pytest.mark.cassette("made/planets")' in ways[1]["about"]
    assert stub == 'aoai_emulator.on(contains="Name the moons.").answers("…")'


def test_a_recording_that_came_since_would_match(running: Running) -> None:
    body = CHANGED.replace(b"moons", b"comets")
    running.ask(body)
    running.azure.library.add(recording(body, ANSWER))
    assert running.get(f"calls/{last(running)}/difference")["would_match"]


def test_what_is_no_call_of_azure_openai_is_compared_with_nothing(running: Running) -> None:
    running.client.get("/elsewhere", headers={"api-key": running.azure.api_key})
    refused = running.api("GET", f"calls/{last(running)}/difference")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "nothing_to_compare")


ODD = (
    b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"$(id) `id` \'EOF\' \\"$HOME\\" \xc3\xa9 %s {a,b}"}]}'
)


@pytest.mark.parametrize("body", [PLAIN, STREAM, ODD, b'{"a":1}\nEND\n', b"\xff\x00\r\n", b"a" * 40_000])
def test_the_curl_command_makes_the_same_call(running: Running, body: bytes, tmp_path: Path) -> None:
    """The shell runs no part of a prompt, whatever the prompt holds."""
    running.client.post(
        "/openai/v1/chat/completions?a=[1]{b}&x='$(id)'",
        content=body,
        headers={"api-key": running.azure.api_key, "content-type": "application/json"},
    )
    asked = running.azure.journal.exchanges[-1]
    script = export(running, "curl").text
    assert running.azure.api_key not in script
    (tmp_path / "request.bin").write_bytes(body)
    environment = os.environ | {"AZURE_OPENAI_BASE": running.base, "AZURE_OPENAI_API_KEY": running.azure.api_key}
    done = subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, timeout=20)
    again = running.azure.journal.exchanges[-1]
    assert (done.returncode, done.stderr) == (0, b"")
    assert (again.number, again.target, again.status) == (asked.number + 1, asked.target, asked.status)
    assert again.body in (body, body + b"\n" * body.startswith(b"{"))


@pytest.mark.parametrize(
    "body", [PLAIN, STREAM, ODD, PLAIN[:-1] + b',"extra_headers":{"a":"b"},"class":1,"temperature":0}']
)
def test_the_python_program_asks_the_same(running: Running, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    running.azure.library.add(recording(ODD, ANSWER))
    running.ask(body)
    asked = running.azure.journal.exchanges[-1]
    program = export(running, "python").text
    monkeypatch.setenv("AZURE_OPENAI_BASE", running.base)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", running.azure.api_key)
    with suppress(openai.APIStatusError):
        exec(program, {})  # noqa: S102
    again = running.azure.journal.exchanges[-1]
    assert again.number > asked.number
    assert json.loads(again.body) == json.loads(asked.body)
    assert again.status == asked.status


def test_a_call_that_the_sdk_has_no_word_for_is_left_to_curl(running: Running) -> None:
    running.client.get("/openai/v1/models", headers={"api-key": running.azure.api_key})
    assert export(running, "python").json()["error"]["code"] == "no_such_form"
    assert export(running, "curl").status_code == 200
    assert export(running, "perl").json()["error"]["code"] == "invalid_query"


def test_the_cassette_plays_what_was_answered(running: Running, tmp_path: Path) -> None:
    running.ask(STREAM)
    path = tmp_path / "call.yaml"
    path.write_bytes(export(running, "cassette").content)
    (taken,) = cassette.load(path).interactions
    assert running.azure.library.take(taken.request.meaning.key, "v1", taken.request.body)  # type: ignore[union-attr]
    assert b"Once" in taken.response.body
    assert running.azure.api_key not in path.read_text()


def test_a_secret_gets_into_no_cassette(running: Running) -> None:
    key = running.azure.api_key.encode()
    body = PLAIN.replace(b"planets", b"planets of " + key)
    running.azure.library.add(recording(body, ANSWER))
    running.ask(body)
    refused = export(running, "cassette")
    assert running.azure.api_key not in refused.text
    assert refused.status_code in (200, 409)
    running.ask(CHANGED)
    assert export(running, "cassette").json()["error"]["code"] == "nothing_to_keep"


def test_json_is_what_the_call_is(running: Running) -> None:
    running.ask()
    assert export(running, "json").json() == running.get(f"calls/{last(running)}")


@pytest.mark.parametrize("body", [CHANGED, STREAM.replace(b"story", b"tale")], ids=["whole", "stream"])
def test_a_draft_is_a_cassette_with_this_request_that_plays_once_it_is_filled_in(
    running: Running, body: bytes, tmp_path: Path
) -> None:
    running.ask(body)
    draft = export(running, "draft")
    path = tmp_path / "drafted.yaml"
    path.write_bytes(draft.content.replace(FILL_IN.encode(), b"Luna."))
    tape = cassette.load(path, "drafted")
    assert tape.notes["origin"] == "synthetic"
    running.azure.library = Library(tape.interactions)
    answer = running.ask(body)
    assert (answer.status_code, "Luna." in answer.text, FILL_IN in answer.text) == (200, True, False)


def test_what_nobody_can_write_by_hand_has_no_draft(running: Running) -> None:
    running.client.get("/openai/v1/models", headers={"api-key": running.azure.api_key})
    refused = export(running, "draft")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_such_form")


def test_how_to_call_it_is_told_without_the_key(openai_client: openai.OpenAI, aoai_emulator: Emulator) -> None:
    stack = aoai_emulator.stack
    told = httpx.get(f"{stack.azure_base}/_emulator/setup").json()
    assert (told["proxy"], told["azure"]) == (stack.base_url, stack.azure_base)
    ways = {way["name"]: way["text"] for way in told["ways"]}
    assert stack.function_key not in json.dumps(told)
    environment = os.environ | {"FUNCTION_HOST_KEY": stack.function_key}
    asked = subprocess.run(["bash", "-c", ways["curl"]], env=environment, capture_output=True, text=True)
    assert '"choices"' in asked.stdout, asked.stderr
    program = subprocess.run([sys.executable, "-c", ways["Python"]], env=environment, capture_output=True, text=True)
    assert (program.returncode, program.stdout.strip() != "") == (0, True), program.stderr
    variables = (
        f"{ways['Variables']}\n{sys.executable} -c 'import openai; print(openai.OpenAI().models.list().data[0].id)'"
    )
    listed = subprocess.run(["bash", "-c", variables], env=environment, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
