"""A newcomer's first minutes: `serve --improvise`, then prompts of one's own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import cli
from emulator.failure import UsageError
from tests.test_cli import started
from tests.test_serve import served

USER = [{"role": "user", "content": "My very own prompt"}]


def streamed(base: str, headers: dict[str, str], body: dict[str, Any]) -> list[float]:
    """Seconds after which each frame came."""
    began, times = time.monotonic(), list[float]()
    with httpx.stream("POST", f"{base}/chat/completions", headers=headers, json=body | {"stream": True}) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            times += [time.monotonic() - began] if line.startswith("data:") else []
    return times


def test_a_newcomers_prompts_are_answered(tmp_path: Path) -> None:
    options = ["--improvise", "--first-token-ms", "300", "--tokens-per-second", "100", "--time-scale", "2"]
    with started("serve", "--port", "0", *options, cwd=tmp_path) as (described, _):
        base, headers = described["base_url"], {"x-functions-key": described["function_key"]}
        listed = httpx.get(f"{base}/models", headers=headers).json()["data"]
        models = [model["id"] for model in listed]
        assert {"gpt-4o-mini", "gpt-4o", "gpt-5-mini", "text-embedding-3-small"} <= {*models}
        for model in models:
            is_embedding = "embedding" in model
            body: dict[str, Any] = {"input": "Hello"} if is_embedding else {"messages": USER}
            route = "embeddings" if is_embedding else "chat/completions"
            answer = httpx.post(f"{base}/{route}", headers=headers, json={"model": model, **body})
            assert (answer.status_code, answer.headers["x-emulator-origin"]) == (200, "improvised")
        times = streamed(base, headers, {"model": "gpt-4o", "messages": USER})
        assert times[0] >= 0.15
        assert times[-1] >= 0.15 + 0.9 * (len(times) - 1) / 200
        recorded = [{"role": "user", "content": "What is the capital of France?"}]
        played = httpx.post(
            f"{base}/chat/completions", headers=headers, json={"model": "gpt-4o-mini", "messages": recorded}
        )
        assert "x-emulator-origin" not in played.headers


def test_what_serve_improvises_can_be_copied(tmp_path: Path) -> None:
    with served("--improvise", "--cassettes", str(tmp_path)) as (shown, warned):
        assert (
            "Improvised         every answer without a recording; its header is x-emulator-origin: improvised" in shown
        )
        assert "Models             gpt-4o-mini,gpt-4o," in shown, warned
        _, _, python = shown[shown.index("curl ") : shown.index("Ctrl-C")].partition("\n\n")
        by_sdk = subprocess.run([sys.executable, "-c", python], capture_output=True, text=True, timeout=60)
        assert by_sdk.stdout.startswith("You said: “Hello”."), by_sdk.stderr


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_deployments_are_those_that_are_named(tmp_path: Path, how: str) -> None:
    options = ["--deployments", "gpt-4o=mine,other"] if how == "option" else []
    environment = {"AZURE_OPENAI_DEPLOYMENT": "gpt-4o=mine,other"} if how == "environment" else {}
    with started("azure", "--improvise", "--cassettes", str(tmp_path), *options, **environment) as (described, _):
        headers, statuses = {"api-key": described["api_key"]}, dict[str, int]()
        for model in ("mine", "other", "gpt-4o"):
            url = f"{described['azure_base']}/openai/v1/chat/completions"
            statuses[model] = httpx.post(url, headers=headers, json={"model": model, "messages": USER}).status_code
        assert statuses == {"mine": 200, "other": 200, "gpt-4o": 400}
        assert described["models"] == "gpt-4o=mine,other"
        listed = httpx.get(f"{described['azure_base']}/openai/v1/models", headers=headers).json()["data"]
        assert [model["id"] for model in listed] == ["mine", "other"]


def test_without_being_asked_nothing_is_improvised(tmp_path: Path) -> None:
    with started("azure", "--cassettes", str(tmp_path)) as (described, _):
        url = f"{described['azure_base']}/openai/v1/chat/completions"
        answer = httpx.post(url, headers={"api-key": described["api_key"]}, json={"model": "m", "messages": USER})
        assert answer.status_code == 424
        assert json.loads(answer.content)["error"]["code"] == "no_recorded_interaction"


@pytest.mark.parametrize("option", ["--deployments=a", "--first-token-ms=1", "--tokens-per-second=1"])
def test_an_option_of_improvising_wants_improvise(option: str, tmp_path: Path) -> None:
    arguments = cli.parser().parse_args(["azure", "--cassettes", str(tmp_path), option])
    with pytest.raises(UsageError, match="add --improvise"):
        arguments.verb(arguments)


@pytest.mark.parametrize("value", ["", "a b", "a,,b", "=a", "é", "a" * 65])
def test_a_name_that_no_deployment_has_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["serve", "--improvise", f"--deployments={value}"])
    assert "is no name of a deployment" in capsys.readouterr().err
