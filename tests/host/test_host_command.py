"""`python -m emulator host --app DIR` serves anybody's function app."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.hosts import BACKENDS, PATIENCE_S, ROOT, Host
from tests.host.test_refusals import HEAD, write

APP = f"""{HEAD}
import os


@app.route(route="hello/{{name}}", methods=["GET"])
async def hello(req: Request) -> str:
    print("printed by the app")
    return os.environ.get("GREETING", "Hello") + ", " + req.path_params["name"]


@app.route(auth_level=func.AuthLevel.ADMIN)
async def secret(req: Request) -> str:
    return "for the master"


@app.route(methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def size(req: Request) -> str:
    return str(len(await req.body()))
"""
KEYS = {"FUNCTION_HOST_KEY": "my-key", "FUNCTION_MASTER_KEY": "my-master-key"}
OF_THE_PROXY = 220_200_960


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[tuple[Host, "subprocess.Popen[str]", str]]:
    """The ready command; its host; its output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "host", "--app", str(folder), "--port", "0", *options],
        cwd=ROOT,
        env=os.environ | KEYS | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        printed = ""
        while ("--json" not in options and "Key: " not in printed) or not printed:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            printed += line
        found = re.search(r"http://127\.0\.0\.1:\d+", printed)
        assert found is not None
        yield Host(found[0]), process, printed
    finally:
        process.kill()
        process.communicate()


def stopped(process: "subprocess.Popen[str]") -> tuple[str, list[str]]:
    """The rest of its output, and its lines on standard error."""
    process.terminate()
    printed, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    return printed, errors.splitlines()


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_prints_the_routes_and_takes_both_keys(backend: str, tmp_path: Path) -> None:
    write(tmp_path, APP)
    with serving(tmp_path, "--backend", backend) as (host, process, printed):
        url = f"http://127.0.0.1:{host.port}"
        routes = "".join(f"  {url}/api/{route}\n" for route in ("hello/{name}", "secret", "size"))
        assert printed == f"Functions:\n{routes}Key: my-key\n"
        asked = [("hello/you", "my-key"), ("hello/you", "no"), ("secret", "my-master-key"), ("secret", "my-key")]
        assert [host.ask("GET", f"/api/{path}", key=key).status for path, key in asked] == [200, 401, 200, 401]
        assert host.ask("GET", "/api/hello/you", key="my-master-key").body == b'"Hello, you"'
        assert stopped(process) == ("printed by the app\n" * 2, [])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_call_that_azure_would_never_answer_is_told_on_standard_error(backend: str, tmp_path: Path) -> None:
    write(tmp_path, APP)
    with serving(tmp_path, "--backend", backend) as (host, process, _):
        headers = "host: x\r\nx-functions-key: my-key\r\nx-user: José\r\n"
        with host.raw(f"GET /api/hello/x HTTP/1.1\r\n{headers}\r\n".encode()) as sock:
            assert sock.recv(12) == b"HTTP/1.1 500"
        assert stopped(process)[1] == [
            "function hello: in Azure this call would never be answered: the header x-user is not ASCII"
        ]


def test_json_is_one_object_and_then_one_for_each_call_that_azure_would_never_answer(tmp_path: Path) -> None:
    write(tmp_path, APP)
    with serving(tmp_path, "--json") as (host, process, printed):
        described = json.loads(printed)
        assert described == {
            "base_url": f"http://127.0.0.1:{host.port}",
            "function_key": "my-key",
            "pid": process.pid,
            "routes": ["/api/hello/{name}", "/api/secret", "/api/size"],
        }
        host.ask("GET", "/api/hello/you", key="my-key", headers=[("x-ms-invocation-id", "mine")])
        told = "function hello: in Azure this call would never be answered: the caller sent x-ms-invocation-id"
        rest, errors = stopped(process)
        assert ([json.loads(line) for line in rest.splitlines()], errors) == ([{"unanswered": told}], [])


def test_without_a_key_it_makes_one_and_nothing_opens_an_admin_function(tmp_path: Path) -> None:
    write(tmp_path, APP)
    with serving(tmp_path, "--json", FUNCTION_HOST_KEY="", FUNCTION_MASTER_KEY="") as (host, _, printed):
        made = json.loads(printed)["function_key"]
        assert len(made) >= 32
        assert [host.ask("GET", f"/api/{path}", key=made).status for path in ("hello/you", "secret")] == [200, 401]


def test_settings_are_those_of_local_settings_json_and_the_environment_wins(tmp_path: Path) -> None:
    write(tmp_path, APP)
    values = {"GREETING": "Good morning", "FUNCTION_HOST_KEY": "another"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    with serving(tmp_path, "--json") as (host, _, _):
        assert host.ask("GET", "/api/hello/you", key="my-key").json == "Good morning, you"


def test_another_app_has_the_limits_of_azure_and_not_those_of_the_proxy(tmp_path: Path) -> None:
    """The limit is 100 MB, unless the app's own settings change it. The client need not send a larger body."""
    write(tmp_path, APP)
    with serving(tmp_path, "--json") as (host, _, _):
        head = f"POST /api/size HTTP/1.1\r\nhost: x\r\ncontent-length: {OF_THE_PROXY}\r\n\r\n"
        with host.raw(head.encode()) as sock:
            assert sock.recv(12) == b"HTTP/1.1 500"


def test_on_older_pythons_it_says_what_azure_needs(tmp_path: Path) -> None:
    write(tmp_path, APP)
    with serving(tmp_path, "--json", PYTHON_ENABLE_INIT_INDEXING="0") as (_, process, _):
        _, errors = stopped(process)
    assert [line.endswith("unless PYTHON_ENABLE_INIT_INDEXING is 1") for line in errors] == [True] * (
        sys.version_info < (3, 13)
    )


@pytest.mark.parametrize(
    ("source", "settings", "told"),
    [
        ("import no_such_module", None, "function_app.py: ModuleNotFoundError: No module named 'no_such_module'"),
        (f"{HEAD}@app.route('{{a')\nasync def f(req: Request): ...", None, "in Azure the whole app is down"),
        (APP, "{", "local.settings.json: JSONDecodeError"),
        (APP, '{"IsEncrypted": true}', "local.settings.json: it is encrypted"),
        (None, None, "no function_app.py in "),
    ],
    ids=["import", "route", "settings", "encrypted", "no-app"],
)
def test_an_app_that_cannot_be_served_is_one_line(
    source: str | None, settings: str | None, told: str, tmp_path: Path
) -> None:
    if source:
        write(tmp_path, source)
    if settings:
        (tmp_path / "local.settings.json").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "emulator", "host", "--app", str(tmp_path), "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
