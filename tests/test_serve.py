"""`serve` starts whatever the recordings, the environment and the options hold, and reports what is odd."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from emulator import cli
from emulator.azure.faults import FaultError
from emulator.tape import cassette
from emulator.tape.cassette import Interaction, Request, Response
from tests.golden import assert_golden
from tests.test_cli import ROOT, command, started

AZURE = "https://example-resource.openai.azure.com/openai/v1/chat/completions"
ANSWER = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Fine."}}]}
ODD_BODIES = {
    "bytes": b"\xff\xfe",
    "a key twice": b'{"model":"m","model":"m","messages":[]}',
    "a list": b'[{"model":"m"}]',
    "a list of numbers": b"[1]",
    "a number": b"5",
    "a text": b'"messages"',
    "deep": b"[" * 199,
    "empty": b"",
    "half a surrogate": b'{"model":"gpt-4o","messages":[{"role":"user","content":"\\ud800"}]}',
    "line feed": b'{"model":"gpt-4o","messages":[{"role":"user","content":"\\u2028 \\u202e"}]}',
    "messages missing": b'{"model":"gpt-4o"}',
    "messages no list": b'{"model":"gpt-4o","messages":{"role":"user"}}',
    "model a number": b'{"model":4,"messages":[]}',
    "no JSON": b"hello",
    "null": b"null",
    "quoted": b'{"model":"gpt-4o","messages":[{"role":"user","content":"it\'s $(odd)"}]}',
}
ODD_MODELS = [
    "",
    "openai/gpt-4o",
    "gpt 4o",
    " ",
    "gpt-4o,",
    "a=b",
    "modèle",
    "m\nn",
    "\ud800",
    "m" * 65,
    "m" * 70_000,
    "it's",
]
GOOD = b'{"model":"gpt-4o","messages":[{"role":"user","content":"How are you, \\"class\\"?"}]}'


def save(folder: Path, name: str, body: bytes) -> None:
    response = Response(200, "OK", (("content-type", "application/json"),), json.dumps(ANSWER).encode())
    cassette.save(folder / f"{name}.yaml", [Interaction(Request("POST", AZURE, (), body), response)], {})


def save_odd(folder: Path) -> None:
    """Saves odd cassettes whose names come before all others."""
    for name, body in ODD_BODIES.items():
        save(folder, f"a {name}", body)
    for number, model in enumerate(ODD_MODELS):
        save(folder, f"b model {number:02}", json.dumps({"model": model, "messages": []}).encode())


@contextmanager
def served(*arguments: str, **environment: str) -> Iterator[tuple[str, str]]:
    """The output and the lines on standard error, once all is running."""
    process = subprocess.Popen(
        command("serve", "--port", "0", *arguments),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        shown = b""
        while b"Ctrl-C" not in shown and (line := process.stdout.readline()):
            shown += line
        os.set_blocking(process.stderr.fileno(), False)
        yield shown.decode(), (process.stderr.read() or b"").decode()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_what_serve_shows_can_be_copied_whatever_was_recorded_before_it(tmp_path: Path) -> None:
    save_odd(tmp_path)
    save(tmp_path, "c good", GOOD)
    with served("--cassettes", str(tmp_path)) as (shown, warned):
        assert "Models             gpt-4o\n" in shown, warned
        curl, _, python = shown[shown.index("curl ") : shown.index("Ctrl-C")].partition("\n\n")
        by_curl = subprocess.run(["bash", "-c", f"{curl} -sS --noproxy '*'"], capture_output=True, timeout=20)
        by_sdk = subprocess.run([sys.executable, "-c", python], capture_output=True, text=True, timeout=60)
        assert (json.loads(by_curl.stdout), by_curl.stderr) == (ANSWER, b"")
        assert by_sdk.stdout == "Fine.\n", by_sdk.stderr
    assert_golden("odd_models.txt", warned)


@pytest.mark.parametrize("named", [{}, {"AZURE_OPENAI_DEPLOYMENT": "class=gpt-4o,other"}])
def test_nothing_but_odd_recordings_lets_every_other_call_through(tmp_path: Path, named: dict[str, str]) -> None:
    save_odd(tmp_path)
    with served("--cassettes", str(tmp_path), PYTHONIOENCODING="ascii", **named) as (shown, _):
        told = shown[shown.index("curl ") :]
        assert ("class" if named else "gpt-4o") in told
        url, own_key = (
            told.split()[1].removesuffix("/chat/completions"),
            re.findall(r"x-functions-key: (\S+)'", told)[0],
        )
        key = {"x-functions-key": own_key}
        assert httpx.get(f"{url}/models", headers=key).status_code == 200
        asked = httpx.post(f"{url}/chat/completions", headers=key, json={"model": "openai/gpt-4o", "messages": []})
        assert (asked.status_code, asked.json()["error"]["code"]) == (404, "model_not_found")


def test_the_fake_azure_plays_what_the_proxy_cannot_serve(tmp_path: Path) -> None:
    save_odd(tmp_path)
    with started("azure", "--cassettes", str(tmp_path)) as (described, _):
        for model in ODD_MODELS:
            answer = httpx.post(
                f"{described['azure_base']}/openai/v1/chat/completions",
                headers={"api-key": described["api_key"]},
                content=json.dumps({"model": model, "messages": []}),
            )
            assert answer.json() == ANSWER, model[:80]


@pytest.mark.parametrize("deployments", [" , ", *(pytest.param(text, marks=pytest.mark.long) for text in ("", "  "))])
def test_an_empty_setting_is_none(deployments: str) -> None:
    empty = {"AZURE_OPENAI_DEPLOYMENT": deployments, "AZURE_OPENAI_API_VERSION": ""}
    with started("serve", "--port", "0", **empty) as (described, _):
        models = httpx.get(f"{described['base_url']}/models", headers={"x-functions-key": described["function_key"]})
        assert "gpt-4o-mini" in [model["id"] for model in models.json()["data"]]


WRONG = {
    "--time-scale": ["-1", "-0.5", "nan", "inf", "-inf", "1e9", "1e-9", "1e999", "", "fast", "1,5"],
    "--requests-per-minute": ["0", "-1", "1.5", "nan", "inf", "1e3", "", "ten", "9" * 20, "9" * 5_000, "\u0661"],
    "--tokens-per-minute": ["0", "-1", "1.5", "nan", "inf", "1e3", "", "ten", "9" * 20, "9" * 5_000, "\u0661"],
    "--port": ["x", "1.5", "nan", ""],
}


@pytest.mark.parametrize("verb", ["serve", "azure"])
@pytest.mark.parametrize(("option", "value"), [(option, value) for option, values in WRONG.items() for value in values])
def test_an_option_out_of_range_is_refused_in_one_line(
    verb: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args([verb, f"{option}={value}"])
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert told.err.startswith(f"error: argument {option}: ")


@pytest.mark.parametrize("value", ["0", "0.001", "1", "2.5", "20", "1e6"])
def test_a_time_scale_in_range_is_taken(value: str) -> None:
    assert cli.parser().parse_args(["serve", "--time-scale", value]).time_scale == float(value)


@pytest.mark.parametrize(
    "wish", ["slow_frames; seconds=nan", "slow_first_byte; seconds=inf", "slow_frames; seconds=1e9"]
)
def test_a_fault_that_would_never_end_is_refused_in_one_line(wish: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = cli.parser().parse_args(["azure", "--fault", wish])
    with pytest.raises(FaultError) as refused:
        arguments.verb(arguments)
    assert "seconds" in str(refused.value)
    assert "\n" not in str(refused.value)
