"""The command line: its output, its exit status, its words when it fails."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import cli
from emulator.bundle import CASSETTES, ROOT
from emulator.tape import cassette
from emulator.tape.cassette import Interaction, Request, Response


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emulator", *arguments]


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def started(
    *arguments: str, cwd: Path = ROOT, **environment: str
) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[str]"]]:
    process = subprocess.Popen(
        command(*arguments, "--json"),
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield json.loads(line), process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_serve_prints_one_json_line_and_ends_cleanly(stop: signal.Signals) -> None:
    with started("serve", "--port", "0", FUNCTION_HOST_KEY="my-key") as (described, process):
        assert set(described) == {
            *("base_url", "function_key", "azure_base", "identity_endpoint", "identity_header", "pid", "cassettes"),
            *("page", "control_url"),
        }
        assert described["pid"] == process.pid
        assert described["function_key"] == "my-key"
        models = httpx.get(f"{described['base_url']}/models", headers={"x-functions-key": "my-key"})
        assert models.status_code == 200
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=20)
        assert (process.returncode, rest, errors) == (0, "", "")
    with pytest.raises(httpx.ConnectError):
        httpx.get(described["base_url"])


def test_serve_honours_the_app_settings_of_its_environment() -> None:
    environment = {"AZURE_OPENAI_DEPLOYMENT": "one,two=three", "AZURE_OPENAI_API_VERSION": "2024-05-01-preview"}
    with started("serve", "--port", "0", **environment) as (described, _):
        key = {"x-functions-key": described["function_key"]}
        models = httpx.get(f"{described['base_url']}/models", headers=key).json()
        assert [model["id"] for model in models["data"]] == ["one", "two"]
        httpx.post(f"{described['base_url']}/chat/completions", headers=key, content=b'{"model":"two"}')
        (exchange,) = httpx.get(f"{described['azure_base']}/_emulator/journal").json()["exchanges"]
        assert exchange["target"] == "/openai/deployments/three/chat/completions?api-version=2024-05-01-preview"


def test_serve_plays_every_cassette_below_its_folders(tmp_path: Path) -> None:
    for name in ("one", "deep/er/two"):
        path = tmp_path / f"{name}.yaml"
        request = Request("POST", "https://x/openai/v1/chat/completions", (), b'{"model":"%s"}' % path.stem.encode())
        cassette.save(path, [Interaction(request, Response(200, "OK", (), path.stem.encode()))], {})
    with started("serve", "--port", "0", "--cassettes", str(tmp_path)) as (described, _):
        for name in ("one", "two"):
            answer = httpx.post(
                f"{described['base_url']}/chat/completions",
                headers={"x-functions-key": described["function_key"]},
                json={"model": name},
            )
            assert answer.text == name


def test_the_host_alone_serves_whatever_its_settings_point_at() -> None:
    with (
        started("azure") as (azure, _),
        started(
            *("host", "--port", "0"),
            AZURE_OPENAI_BASE=azure["azure_base"],
            AZURE_OPENAI_DEPLOYMENT="gpt-4o-mini",
            IDENTITY_ENDPOINT=azure["identity_endpoint"],
            IDENTITY_HEADER=azure["identity_header"],
        ) as (host, _),
    ):
        key = {"x-functions-key": host["function_key"]}
        answer = httpx.post(f"{host['base_url']}/chat/completions", headers=key, json={"model": "gpt-4o-mini"})
        assert answer.status_code == 424, "the whole chain was gone through"


def test_the_fake_azure_alone_takes_its_api_key() -> None:
    with started("azure") as (described, _):
        url = f"{described['azure_base']}/openai/v1/chat/completions"
        assert httpx.post(url, headers={"api-key": described["api_key"]}, json={}).status_code == 424
        assert httpx.post(url, headers={"api-key": "other"}, json={}).status_code == 401


@pytest.mark.parametrize("verb", ["serve", "azure", "host"])
def test_a_port_in_use_is_one_clear_line(verb: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(verb, "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Port {port} on 127.0.0.1 cannot be used")
    assert len(done.stderr.splitlines()) == 1


def no_folder(name: str, current: Path) -> str:
    return f"There is no folder {name}. Name one that is there, seen from {current}."


def test_a_folder_that_is_none_is_one_clear_line() -> None:
    done = run("serve", "--cassettes", "no/such/folder")
    assert (done.returncode, done.stderr) == (2, f"error: {no_folder('no/such/folder', ROOT)}\n")


def test_a_file_in_the_place_of_a_folder_is_told_its_folder() -> None:
    done = run("serve", "--cassettes", "cassettes/chat/question.yaml")
    said = "error: cassettes/chat/question.yaml is a file. Name its folder, cassettes/chat.\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_bad_settings_still_start_and_are_named_to_every_caller() -> None:
    with started("host", "--port", "0", AZURE_OPENAI_BASE="http://res.openai.azure.com") as (host, _):
        answer = httpx.get(f"{host['base_url']}/models", headers={"x-functions-key": host["function_key"]})
        assert answer.status_code == 503
        assert "AZURE_OPENAI_BASE" in answer.json()["error"]["message"]


@pytest.mark.parametrize("verb", ["demo", "serve", "host", "azure", "record"])
def test_every_verb_that_listens_does_so_on_loopback_unless_told(verb: str) -> None:
    parser = cli.parser()
    assert parser.parse_args([verb]).host == "127.0.0.1"
    assert parser.parse_args([verb, "--host", "::1"]).host == "::1"


CONTROL = ("/_emulator/journal", "//_emulator/journal", "/_emulator/", "/_emulator", "/%5Femulator/journal")


def test_beyond_loopback_nothing_below_emulator_answers_and_a_warning_names_what_is_open() -> None:
    with started("azure", "--host", "0.0.0.0") as (azure, process):  # noqa: S104
        key = {"api-key": azure["api_key"]}
        for path in CONTROL:
            for method in ("GET", "DELETE", "POST"):
                answer = httpx.request(method, httpx.URL(azure["azure_base"], raw_path=path.encode()), headers=key)
                assert (answer.status_code, b"exchanges" in answer.content) == (404, False), path
        assert httpx.get(f"{azure['azure_base']}/openai/v1/models/none", headers=key).status_code == 424
        assert azure["azure_base"].startswith("http://127.0.0.1:"), "as this machine reaches it"
        process.terminate()
        _, errors = process.communicate(timeout=20)
    port = azure["azure_base"].rpartition(":")[2]
    assert errors.startswith(f"warning: open to other machines on 0.0.0.0, port {port}: the fake Azure.")
    assert len(errors.splitlines()) == 1


def test_serve_opens_the_proxy_alone() -> None:
    with started("serve", "--host", "0.0.0.0", "--port", "0") as (served, process):  # noqa: S104
        assert httpx.get(f"{served['azure_base']}/_emulator/journal").status_code == 200
        key = {"x-functions-key": served["function_key"]}
        assert httpx.get(f"{served['base_url']}/models", headers=key).status_code == 200
        process.terminate()
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
    port = served["base_url"].removesuffix("/api/v1").rpartition(":")[2]
    assert errors.splitlines() == [
        f"warning: open to other machines on 0.0.0.0, port {port}: the proxy. Everybody with its key uses what is "
        "behind it."
    ]


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_the_newer_kind_is_written_as_a_url_has_it() -> None:
    with started("azure", "--host", "::1") as (azure, _):
        assert azure["azure_base"].startswith("http://[::1]:")
        assert httpx.get(f"{azure['azure_base']}/_emulator/journal").status_code == 200


def test_an_address_of_another_machine_is_one_clear_line() -> None:
    done = run("azure", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Port 0 on 192.0.2.1 cannot be used")


@pytest.mark.parametrize(
    ("folders", "found"),
    [([], [str(CASSETTES)]), (["cassettes"], ["cassettes"]), (["tests/cassettes"], ["tests/cassettes"])],
    ids=["none", "cassettes", "tests"],
)
def test_the_cassettes_of_the_current_folder_are_served_else_those_that_came_with_it(
    folders: list[str], found: list[str], tmp_path: Path
) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with started("azure", cwd=tmp_path) as (azure, _):
        assert azure["cassettes"] == found


def test_check_looks_at_a_projects_own_cassettes_only(tmp_path: Path) -> None:
    done = run("check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"error: {no_folder('cassettes', tmp_path)}\n")


def test_local_settings_for_func_start_are_written_once_and_never_over(tmp_path: Path) -> None:
    settings = ROOT / "local.settings.json"
    if settings.exists():
        pytest.skip("this checkout has a local.settings.json of its own")
    try:
        with started("azure", "--settings") as (described, _):
            values = json.loads(settings.read_text())["Values"]
            assert values["AZURE_OPENAI_BASE"] == described["azure_base"]
            assert values["IDENTITY_HEADER"] == described["identity_header"]
            assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"
        done = run("azure", "--settings")
        assert done.returncode == 2
        assert "local.settings.json exists" in done.stderr
    finally:
        settings.unlink(missing_ok=True)
