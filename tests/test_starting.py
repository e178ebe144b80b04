"""A start loads what it needs and no more. The tests count modules, because times differ from machine to machine."""

import gc
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from emulator import cli
from emulator.bundle import ROOT
from emulator.loading import loading

HEAVY = {
    *("aiohttp", "azure.functions", "azure.identity", "click", "dotenv", "dspy", "fastapi", "filelock", "http.server"),
    *("httpx", "httpx._main", "jsonschema", "msgspec", "openai", "pydantic", "rich", "uvicorn", "uvloop", "werkzeug"),
    "yaml",
}
OF_TAPES = {"msgspec", "yaml"}
OF_SERVERS = {"click", "uvicorn"}
OF_HOSTS = {"azure.functions", "http.server", "werkzeug"}  # the last two by azure.functions
LOADED = {  # by the module of a verb
    "demo": OF_TAPES | OF_SERVERS,
    "serve": OF_TAPES | OF_SERVERS,
    "azure": OF_TAPES | OF_SERVERS,
    "record": OF_TAPES | OF_SERVERS | {"httpx", "filelock"},
    "page": OF_TAPES | OF_SERVERS,
    "show": OF_TAPES,
    "check": OF_TAPES,
    "doctor": {"dotenv", "httpx", "yaml"},
    "host": OF_SERVERS | OF_HOSTS,
}
OFTEN = ("show", "host")

HELP = f"""
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from emulator.cli import main
lines = [[verb, option] for verb in {list(LOADED)} for option in ("--help", "--nonsense")]
for line in (["--help"], ["nonsense"], *lines):
    with suppress(SystemExit), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        main(line)
"""
VERB = """
from emulator.loading import loading
with loading():
    import emulator.commands.{}
"""
HOST = """
import asyncio, os
from contextlib import suppress
from pathlib import Path
from emulator.host.command import DEPLOYED
from emulator.host.server import serve
from emulator.server import bind

async def start():
    serving = asyncio.ensure_future(serve(Path(), {"default": "made-up"}, bind(0), lambda _: serving.cancel()))
    with suppress(asyncio.CancelledError):
        await serving

os.environ.update(DEPLOYED)
asyncio.run(start())
"""
PRINTED = """
import json, sys
before = {{*sys.modules}}
{}
print(json.dumps([name for name, module in sys.modules.items() if module and name not in before]))
"""


def loaded(code: str) -> set[str]:
    """The names of the modules that a new process loads for it."""
    printed = subprocess.check_output([sys.executable, "-c", PRINTED.format(code)], cwd=ROOT, text=True)
    return set(json.loads(printed))


def test_help_and_wrong_usage_load_the_standard_library_and_the_arguments() -> None:
    found = {name for name in loaded(HELP) if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in found if not name.startswith("emulator")} == set()
    inside = {name for name in found if name.count(".") > 1 and not name.endswith(".arguments")}
    assert inside == {"emulator.recording.mode"}


def test_each_verb_is_held() -> None:
    assert {verb.name for verb in cli.VERBS} == set(LOADED)


@pytest.mark.parametrize(
    "verb", [verb if verb in OFTEN else pytest.param(verb, marks=pytest.mark.long) for verb in LOADED]
)
def test_a_verb_loads_its_own_libraries_only(verb: str) -> None:
    assert loaded(VERB.format(verb)) & HEAVY == LOADED[verb]


def test_httpx_comes_without_its_command_line() -> None:
    found = loaded("from emulator.loading import loading\nwith loading():\n    import httpx\nhttpx.Client, httpx.main")
    assert "httpx" in found
    assert not found & {"httpx._main", "rich", "pygments", "click"}


@pytest.mark.long
def test_the_host_serves_the_proxy_without_what_azure_does_not_install() -> None:
    found = loaded(HOST)
    assert {"httpx", "fastapi", "proxy.settings"} <= found
    assert not found & {"httpx._main", "rich", "pygments"}


@pytest.fixture
def collector() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("collector")
def test_after_imports_garbage_is_collected_as_often_as_before() -> None:
    gc.set_threshold(123, 4, 5)
    with loading():
        assert gc.get_threshold()[0] > 100_000
    assert gc.get_threshold() == (123, 4, 5)


@pytest.mark.usefixtures("collector")
def test_an_app_may_set_the_collector_itself() -> None:
    with loading():
        gc.set_threshold(7, 8, 9)
    assert gc.get_threshold() == (7, 8, 9)
