"""The host refuses some apps at load, each with one line that names the culprit, on every backend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host.hosts import BACKENDS, HERE, ROOT, running
from tests.host.load_apps import Loaded

HEAD = """
import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request, Response, StreamingResponse
from typing import Optional

app = func.FunctionApp()
"""

GOOD = HEAD + "@app.route()\nasync def fine(req: Request) -> Response:\n    return Response()\n"

# name: (the app's text after HEAD, words of the message)
REFUSED = {
    "union_return": ("@app.route()\nasync def culprit(req: Request) -> Response | StreamingResponse: ...", "culprit"),
    "optional_return": ("@app.route()\nasync def culprit(req: Request) -> Optional[Response]: ...", "culprit"),
    "foreign_return": ("@app.route()\nasync def culprit(req: Request) -> func.HttpResponse: ...", "HttpResponse"),
    "none_return": ("@app.route()\nasync def culprit(req: Request) -> None: ...", "culprit"),
    "generic_return": ("@app.route()\nasync def culprit(req: Request) -> dict[str, int]: ...", "culprit"),
    "foreign_request": ("@app.route()\nasync def culprit(req: func.HttpRequest) -> Response: ...", "HttpRequest"),
    "union_request": ("@app.route()\nasync def culprit(req: Request | None) -> Response: ...", "culprit"),
    "unbound_parameter": ("@app.route()\nasync def f(req: Request, culprit: str) -> Response: ...", "culprit"),
    "missing_parameter": ("@app.route()\nasync def f(request: Request) -> Response: ...", "req"),
    "foreign_context": ("@app.route()\nasync def f(req: Request, context: str) -> Response: ...", "context"),
    "two_apps": ("@app.route()\nasync def f(req: Request) -> Response: ...\nother = func.FunctionApp()", "found 2"),
    "no_app": ("del app", "found 0"),
    "no_functions": ("", "no HTTP-triggered function"),
    "only_a_timer": ("@app.timer_trigger('t', '0 * * * * *')\ndef f(t: func.TimerRequest) -> None: ...", "no HTTP-"),
    "another_binding": (
        "@app.route()\n@app.queue_output('out', 'q', 'c')\n"
        "async def culprit(req: Request, out: func.Out[str]) -> Response: ...",
        "culprit binds queue",
    ),
    "twice_the_same_name": ("@app.route()\nasync def f(req: Request): ...\n" * 2, "unique"),
    "missing_import": ("import no_such_module", "No module named 'no_such_module'"),
    "syntax_error": ("def (", "line 7"),
    "import_exits": ("raise SystemExit('culprit')", "culprit"),
    "multi_line_error": ("raise ValueError('one\\ntwo')", "ValueError: one two"),
    "bad_constraint": ("@app.route(route='{a:colour}')\nasync def f(req: Request): ...", "colour"),
    "bad_arguments": ("@app.route(route='{a:length(x)}')\nasync def f(req: Request): ...", "length(x)"),
    "bad_braces": ("@app.route(route='a/{b')\nasync def f(req: Request): ...", "a/{b"),
}

ACCEPTED = {
    "no_annotations": "@app.route()\nasync def f(req): ...",
    "context": "@app.route()\nasync def f(req: Request, context: func.Context) -> Response: ...",
    "subclass": "class Mine(JSONResponse): ...\n@app.route()\nasync def f(req: Request) -> Mine: ...",
    "plain_values": "".join(
        f"@app.route()\nasync def f_{t}(req: Request) -> {t}: ...\n" for t in ("str", "dict", "int")
    ),
    "quoted": "@app.route()\nasync def f(req: 'Request') -> 'StreamingResponse': ...",
    "another_name": "@app.route(trigger_arg_name='request')\nasync def f(request: Request) -> Response: ...",
    "timer_beside_http": (
        "@app.timer_trigger('t', '0 * * * * *')\ndef f(t: func.TimerRequest) -> None: ...\n"
        "@app.route()\nasync def g(req: Request) -> Response: ..."
    ),
    "module_beside_it": "import helper\n@app.route(route=helper.ROUTE)\nasync def f(req: Request) -> Response: ...",
}


@pytest.fixture(scope="module", params=BACKENDS)
def refusals(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Name: message, from one process that tried to load all apps in turn."""
    apps = tmp_path_factory.mktemp("apps")
    sources = {name: source for name, (source, _) in REFUSED.items()} | ACCEPTED
    for name, source in sources.items():
        write(apps / name, HEAD + source)
    (apps / "module_beside_it" / "helper.py").write_text("ROUTE = 'from/a/helper'\n")
    (apps / "no_function_app").mkdir()
    write(apps / "bad_host_json", GOOD, "{")
    return {name: app.refusal for name, app in loaded(apps, request.param).items()}


@pytest.mark.parametrize("app", REFUSED)
def test_it_is_refused_in_one_line_that_names_the_file_and_the_culprit(
    refusals: dict[str, str | None], app: str
) -> None:
    message = refusals[app]
    assert message is not None
    assert "\n" not in message
    assert f"{app}/function_app.py: " in message
    assert REFUSED[app][1] in message


@pytest.mark.parametrize("app", ["missing_import", "syntax_error", "import_exits", "multi_line_error"])
def test_what_raises_at_import_is_refused_with_what_azure_makes_of_it(
    refusals: dict[str, str | None], app: str
) -> None:
    message = refusals[app]
    assert message is not None
    assert message.endswith("; in Azure no function would be found, and nothing would say why")


@pytest.mark.parametrize("app", ACCEPTED)
def test_what_the_worker_accepts_is_not_refused(refusals: dict[str, str | None], app: str) -> None:
    assert refusals[app] is None


def test_a_folder_without_function_app_py_is_refused(refusals: dict[str, str | None]) -> None:
    message = refusals["no_function_app"]
    assert message is not None
    assert message.startswith("no function_app.py in /")


def test_a_host_json_that_is_not_json_is_refused(refusals: dict[str, str | None]) -> None:
    message = refusals["bad_host_json"]
    assert message is not None
    assert "bad_host_json/host.json: JSONDecodeError" in message


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_app_without_the_extension_is_refused_and_nothing_is_printed_but_the_reason(
    backend: str, tmp_path: Path
) -> None:
    source = "import azure.functions as func\napp = func.FunctionApp()\n@app.route()\ndef f(req: func.HttpRequest): ..."
    write(tmp_path, source)
    loading = run("run_app.py", str(tmp_path), "--backend", backend)
    assert (loading.returncode, loading.stdout) == (2, "")
    assert len(loading.stderr.splitlines()) == 1
    assert "azurefunctions.extensions.http.fastapi" in loading.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_host_json_the_prefix_is_api(backend: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with running(backend, app=tmp_path) as host:
        assert host.routes == ["/api/fine"]


@pytest.mark.parametrize(("prefix", "route"), [("", "/fine"), ("/a/b", "/a/b/fine"), ("a/{b}", "/a/{b}/fine")])
def test_a_prefix_stands_before_every_route(prefix: str, route: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, json.dumps({"extensions": {"http": {"routePrefix": prefix}}}))
    with running("public", app=tmp_path) as host:
        assert host.routes == [route]


@pytest.mark.parametrize("prefix", ["/", "api/"])
def test_a_prefix_that_ends_in_a_slash_is_refused_as_in_azure(prefix: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, json.dumps({"extensions": {"http": {"routePrefix": prefix}}}))
    loading = run("run_app.py", str(tmp_path), "--backend", "public")
    assert loading.returncode == 2
    assert loading.stderr.endswith("two slashes stand side by side; in Azure the whole app is down\n")


def test_an_unknown_backend_is_refused_and_the_available_ones_are_named(tmp_path: Path) -> None:
    loading = run("run_app.py", str(tmp_path), environment={"FUNCTIONS_HOST_BACKEND": "cloud"})
    assert loading.returncode == 2
    assert "'cloud'" in loading.stderr
    assert "public" in loading.stderr


def loaded(apps: Path, backend: str) -> dict[str, Loaded]:
    """Name: result, from one process that loaded the apps in the subfolders."""
    loading = run("load_apps.py", str(apps), backend)
    assert loading.returncode == 0, loading.stderr
    return {name: Loaded(*app) for name, app in json.loads(loading.stdout).items()}


def write(folder: Path, source: str, host_json: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(source, "utf-8")
    if host_json is not None:
        (folder / "host.json").write_text(host_json)


def run(script: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )
