"""`python -m emulator check` names unreadable files and files that disturb each other. Exit codes and JSON agree."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulator import cli
from emulator.failure import UsageError
from emulator.stack import ROOT
from emulator.synthetic import says
from emulator.tape.cassette import Interaction
from tests.golden import assert_golden
from tests.lint.planting import (
    CHAT,
    CHAT_STREAM,
    RECORDED,
    REFUSAL,
    RESPONSE_STREAM,
    SOUND,
    Workplace,
    answer,
    got,
    recording,
    swap,
)

Capsys = pytest.CaptureFixture[str]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emulator", "check", *map(str, arguments)]
    environment = os.environ | {"AZURE_RECORDINGS": "absent", "AZURE_SPECS": "absent"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


UNREADABLE = {
    "no YAML": "interactions: [\n",
    "no cassette": "- a\n- b\n",
    "no answer": "version: 1\ninteractions:\n- request: {method: POST, uri: x, headers: {}, body: ''}\n",
    "another address": (
        "interactions:\n- request: {method: GET, uri: 'https://api.openai.com/v1/models', headers: {}, body: null}\n"
        "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: ''}}\n"
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_an_error_and_the_rest_is_checked(
    name: str, workplace: Workplace, capsys: Capsys
) -> None:
    path = workplace.tape("planted")
    path.write_text(UNREADABLE[name])
    workplace.tape("sound", *SOUND)
    checked = workplace.check(capsys, "--json")
    assert (checked.code, checked.codes) == (1, {"unreadable"})
    assert json.loads(checked.text)["recordings"] == len(SOUND)


def test_what_cannot_be_read_is_named_by_file_and_line(workplace: Workplace, capsys: Capsys) -> None:
    path = workplace.tape("planted")
    texts = []
    for name, content in UNREADABLE.items():
        path.write_text(content)
        texts.append(f"--- {name}\n{workplace.check(capsys).text}")
    assert_golden("../lint/golden/unreadable.txt", "\n".join(texts))


def test_the_same_request_in_two_files_is_an_error(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", CHAT_STREAM, CHAT)
    reordered = replace(
        CHAT, request=replace(CHAT.request, body=json.dumps(json.loads(CHAT.request.body), sort_keys=True).encode())
    )
    workplace.tape("two", reordered)
    checked = workplace.check(capsys)
    assert checked.code == 1
    assert_golden("../lint/golden/duplicate.txt", checked.text)


def test_every_request_that_is_in_two_files_is_told_once(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", CHAT, CHAT_STREAM)
    workplace.tape("two", CHAT, CHAT, CHAT_STREAM)
    places = [
        finding["place"] for finding in workplace.check(capsys, "--json").findings if finding["severity"] == "error"
    ]
    assert places == ["tapes/two.yaml #1", "tapes/two.yaml #3"]


def test_the_same_request_twice_in_a_file_is_a_sequence(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", CHAT, CHAT)
    assert workplace.check(capsys).code == 0


def test_each_generation_of_the_api_has_its_own_recording(workplace: Workplace, capsys: Capsys) -> None:
    uri = "https://example-resource.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
    workplace.tape("v1", CHAT)
    workplace.tape("dated", replace(CHAT, request=replace(CHAT.request, uri=uri)))
    assert workplace.check(capsys).code == 0


def test_a_field_that_the_sdk_does_not_know_is_told_once_and_is_no_error(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("news", swap(CHAT_STREAM, rb'"finish_reason"', b'"mood":1,"finish_reason"', 0))
    checked = workplace.check(capsys, "--json")
    assert checked.code == 0
    (told,) = (finding for finding in checked.findings if finding["code"] == "sdk")
    assert told["severity"] == "info"
    assert told["place"] == "tapes/news.yaml #1 event 2 choices[0].mood"
    assert told["message"].endswith(", 4 times")


def test_an_operation_without_a_type_is_told(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("files", got("files/file-1", {"id": "file-1"}))
    checked = workplace.check(capsys)
    assert checked.code == 0
    assert "has no type for the answer of GET files/file-1" in checked.text


CONTROL = (
    b'data: {"id":"","choices":[{"finish_reason":null,"index":0,"content_filter_offsets":{},"content_filter_results":'
    b'{}}],"created":0,"model":"","object":""}\n\n'
)


FAILED = b'event: error\ndata: {"type":"error","error":{"code":"x","message":"x","param":null},"sequence_number":5}\n\n'
KNOWN = {
    "chunks of the asynchronous filter": answer(swap(CHAT_STREAM, rb"data: \[", CONTROL + b"data: ["), frame_at_ms=()),
    "a stream that ends with an error": answer(
        swap(RESPONSE_STREAM, rb'event: response.output_text.delta\ndata: {[^\n]*"sequence_number":5.*', FAILED),
        frame_at_ms=(),
    ),
    "a failed response without its output": swap(
        swap(RESPONSE_STREAM, rb'"output":\[{.+?}\],"parallel', b'"output":[],"parallel'),
        rb"response\.completed",
        b"response.failed",
        2,
    ),
    "a refusal without a code": swap(
        REFUSAL, rb'"param":"prompt","code":"content_filter"', b'"param":null,"code":null'
    ),
    "a line separator in a text": swap(CHAT_STREAM, b'"content":"Hello"', '"content":"Hello\u2028"'.encode()),
}


@pytest.mark.parametrize("name", KNOWN)
def test_what_azure_is_known_for_is_no_defect(name: str, workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", KNOWN[name])
    checked = workplace.check(capsys, "--json")
    assert checked.code == 0
    assert {finding["code"] for finding in checked.findings} <= {"shape", "unplayed"}


def test_the_callers_own_keys_may_have_any_order(workplace: Workplace, capsys: Capsys) -> None:
    def asking(**properties: str) -> Interaction:
        parameters = {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}
        tool = {"type": "function", "name": "add", "parameters": parameters, "strict": True}
        return recording("responses", says("Hello."), model="gpt-4o-mini", input="Hi", tools=[tool])

    workplace.tape("real", asking(x="integer", y="string"), notes=RECORDED, to="real")
    workplace.tape("one", asking(y="string", x="integer"))
    assert workplace.check(capsys).code == 0


def test_another_sequence_of_events_than_in_real_recordings_is_told(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("real", CHAT, RESPONSE_STREAM, notes=RECORDED, to="real")
    workplace.tape("one", CHAT_STREAM)
    checked = workplace.check(capsys)
    assert checked.code == 0
    assert "no real recording of POST chat/completions on v1, streamed" in checked.text


def test_recorded_answers_are_not_held_against_other_recorded_ones(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", swap(CHAT, rb"\n$", b""), notes=RECORDED)
    assert workplace.check(capsys).code == 0


def test_a_recording_that_no_test_plays_is_an_error_once_that_is_known(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", CHAT, CHAT_STREAM)
    played = workplace.folder / "played.txt"
    played.write_text("one #1\none #2\n")
    assert workplace.check(capsys, "--played", "played.txt").code == 0
    played.write_text("one #1\n")
    checked = workplace.check(capsys, "--played", "played.txt")
    assert checked.code == 1
    assert_golden("../lint/golden/unplayed.txt", checked.text)


def test_without_anything_to_compare_with_it_says_so(
    workplace: Workplace, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.tape("one", CHAT)
    monkeypatch.setenv("AZURE_RECORDINGS", "absent")
    monkeypatch.setenv("AZURE_SPECS", "absent")
    arguments = cli.parser().parse_args(["check", "--cassettes", "tapes"])
    assert arguments.verb(arguments) == 0
    assert_golden("../lint/golden/alone.txt", capsys.readouterr().out)


def test_exit_code_0_where_nothing_is_wrong(workplace: Workplace) -> None:
    workplace.tape("one", CHAT)
    done = run("--cassettes", workplace.folder / "tapes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("1 recording in 1 file: 0 errors, ")


def test_exit_code_1_where_something_is(workplace: Workplace) -> None:
    path = workplace.tape("one", swap(CHAT, rb'"created":\d+,', b""))
    done = run("--cassettes", workplace.folder / "tapes", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    described = json.loads(done.stdout)
    assert set(described) == {"recordings", "files", "errors", "infos", "findings"}
    assert (described["recordings"], described["files"], described["errors"]) == (1, 1, 1)
    (error,) = (finding for finding in described["findings"] if finding["severity"] == "error")
    assert (error["code"], error["place"]) == ("sdk", f"{path} #1 created")


def test_exit_code_2_for_wrong_usage() -> None:
    done = run("--cassettes", "no/such")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: There is no folder no/such. Name one that is there, seen from {Path.cwd()}.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--recordings", "no/such"), "There is no folder no/such."),
        (("--specs", "no/such"), "There is no folder no/such."),
        (("--played", "no/such"), "no/such is no file."),
        (("--cassettes", "specs"), "There are no cassettes below specs."),
    ],
)
def test_wrong_usage_is_explained(arguments: tuple[str, ...], said: str, workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", CHAT)
    (workplace.folder / "specs" / "azure-openai-v1.json").unlink()
    with pytest.raises(UsageError, match=said):
        workplace.check(capsys, *arguments)
