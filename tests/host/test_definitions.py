"""An app's functions load as on Microsoft's host: one app for each row of the recording."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.host.app import AppError
from emulator.host.routing.definition import http_functions
from tests.host.hosts import BACKENDS, HERE, running
from tests.host.load_apps import Loaded
from tests.host.test_refusals import loaded, write

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (HERE / "recorded" / "definitions.jsonl").read_text("utf-8").splitlines()
]

HEAD = """
import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

app = func.FunctionApp()


def declare(name, route, methods):
    async def handler(req: Request) -> Response: ...

    handler.__name__ = "handler"
    app.function_name(name)(app.route(route=route, methods=methods)(handler))


declare("fine", "fine", None)
"""


def shown(row: dict[str, Any]) -> str:
    return " ".join("/".join(map(str, function.values()))[:30] for function in row["functions"])


@pytest.fixture(scope="module", params=BACKENDS)
def apps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Loaded]:
    folder = tmp_path_factory.mktemp("definitions")
    for index, row in enumerate(ROWS):
        write(folder / f"{index:02}", HEAD + "".join(map(declared, range(1, 99), row["functions"])))
    return list(loaded(folder, request.param).values())


def declared(number: int, function: dict[str, Any]) -> str:
    return f"declare({function.get('name', f'fn_{number}')!r}, {function['route']!r}, {function.get('methods')!r})\n"


@pytest.mark.parametrize("index", range(len(ROWS)), ids=map(shown, ROWS))
def test_it_is_served_dropped_or_refused_as_in_azure_and_a_line_says_so(apps: list[Loaded], index: int) -> None:
    row, app = ROWS[index], apps[index]
    routes = {"/api/fine", *(f"/{route}" for route in row["routes"])}
    match row["outcome"].partition(": "):
        case "served", _, _:
            assert (app.refusal, set(app.routes)) == (None, routes)
        case "dropped", _, name:
            assert (app.refusal, set(app.routes)) == (None, routes)
            assert [line.partition(": ")[0] for line in app.said] == [f"function {name} is dropped here as in Azure"]
        case "the whole app is down", _, _:
            assert app.refusal is not None
            assert app.refusal.endswith("; in Azure the whole app is down")
        case "no function is found, nothing is said", _, _:
            assert app.refusal is not None
            assert app.refusal.endswith("; in Azure no function would be found, and nothing would say why")
        case other:
            raise AssertionError(other)


def test_the_recording_has_every_kind_of_outcome() -> None:
    assert {row["outcome"].partition(":")[0] for row in ROWS} == {
        "served",
        "dropped",
        "the whole app is down",
        "no function is found, nothing is said",
    }


# --- what was read in the host's source and not measured

TIMER = json.dumps({"type": "timerTrigger"})


def examined(**routes: str) -> list[str]:
    """The functions with these routes that the host keeps, beside a timer. A `__` in a name stands for a dot."""
    declared = [
        (name.replace("__", "."), name, [json.dumps({"type": "httpTrigger", "name": "req", "route": route})])
        for name, route in routes.items()
    ]
    return [function.name for function in http_functions([*declared, ("timer", "timer", [TIMER])])]


def test_a_function_that_is_dropped_takes_no_route_and_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert examined(a__b="x", c="x", C="x") == ["c"]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_timer_may_not_have_an_http_functions_name_in_other_letters() -> None:
    with pytest.raises(AppError, match="differ in case only; in Azure the whole app is down"):
        examined(Timer="x")


def test_a_route_must_be_sound_without_the_prefix_too() -> None:
    with pytest.raises(AppError, match=r"function a, route '~x': .*; in Azure the whole app is down"):
        examined(a="~x")


def test_an_app_of_which_everything_is_dropped_is_refused_with_the_reasons() -> None:
    with pytest.raises(AppError, match=r"no HTTP-triggered function; function a\.b is dropped here as in Azure"):
        examined(a__b="x")


def test_a_pattern_that_cannot_be_read_makes_its_requests_500_without_a_body(tmp_path: Path) -> None:
    write(tmp_path, HEAD + "declare('broken', 'q/{a:regex([)}', None)")
    with running("public", app=tmp_path) as host:
        reply = host.ask("GET", "/api/q/a")
        assert (reply.status, reply.body) == (500, b"")
        assert host.ask("GET", "/api/q").status == 404
