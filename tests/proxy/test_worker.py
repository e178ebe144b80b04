"""proxy/worker.py cures gaps of Microsoft's worker. The tests use Microsoft's worker library, where it is installed."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from starlette.convertors import PathConvertor

from emulator.host.workers.coordinator import MODULE, HttpCoordinator, offered
from emulator.stack import ROOT
from proxy import worker
from tests.proxy.worker_calls import LIBRARY

HOSTILE = {  # kind of a call: the caller's answer
    "nothing comes": "none",
    "line break": "404",
    "WebSocket": "426",
    "control character": "400",
    "method of no route": "405",
    "half a head": "none",
    "leaves at once": "none",
}
STRANGERS = {  # without a key
    f"{kind} from a stranger": "401" if status in ("200", "404", "426") else status
    for kind, status in {**HOSTILE, "healthy": "200"}.items()
}
AT_HEALTH = {f"{kind} at the health check": "200" for kind in ("healthy", "line break", "WebSocket", "canary")} | {
    f"{kind} at the health check": HOSTILE[kind]
    for kind in ("nothing comes", "control character", "half a head", "leaves at once")
}
IDLE_SECONDS = 5.5  # uvicorn's default is 5; the host's pool keeps a connection for 60

needs_library = pytest.mark.skipif(
    sys.version_info < (3, 13) or find_spec(LIBRARY) is None, reason="Microsoft's worker library needs Python 3.13"
)

Tell = Callable[..., dict[str, Any]]


class Calls:
    """The library in a process of its own, and all its output."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.proxy.worker_calls", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.printed: list[str] = []

    def __call__(self, **wish: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            if line.startswith("told "):
                return dict(json.loads(line.removeprefix("told ")))
            self.printed.append(line)
        raise AssertionError("".join(self.printed))

    def close(self) -> None:
        self.process.communicate(timeout=20)


def calls(*options: str) -> Iterator[Calls]:
    running = Calls(*options)
    yield running
    running.close()


cured = pytest.fixture(scope="module")(lambda: (yield from calls()))
uncured = pytest.fixture(scope="module")(lambda: (yield from calls("--without-cures")))


@needs_library
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_hostile_call_stays_open_in_the_worker(cured: Calls, kind: str) -> None:
    told = cured(kind=kind, count=50)
    assert told["ends"] == {f"{HOSTILE[kind]}, ended": 50}
    assert told["references"] == 0


@needs_library
@pytest.mark.parametrize("kind", STRANGERS | AT_HEALTH)
def test_no_call_of_a_stranger_stays_open_in_the_worker(cured: Calls, kind: str) -> None:
    told = cured(kind=kind, count=50)
    assert told["ends"] == {f"{(STRANGERS | AT_HEALTH)[kind]}, ended": 50}
    assert told["references"] == 0


@needs_library
@pytest.mark.long
@pytest.mark.timeout(900)
def test_memory_is_level_whatever_100_000_strangers_send(cured: Calls) -> None:
    strangers = STRANGERS | AT_HEALTH
    for kind in strangers:
        cured(kind=kind, count=1_000)
    before = cured(kind="healthy", count=1_000)["memory_mb"]
    for kind in strangers:
        assert cured(kind=kind, count=100_000 // len(strangers))["references"] == 0
    assert cured(kind="healthy", count=1_000)["memory_mb"] - before < 5


@needs_library
@pytest.mark.long
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_thousand_of_each_stay_open_nowhere(cured: Calls, kind: str) -> None:
    told = cured(kind=kind, count=1_000)
    assert told["ends"] == {f"{HOSTILE[kind]}, ended": 1_000}
    assert told["references"] == 0


@needs_library
@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "leaves at once"])
def test_without_the_cures_each_of_them_stays_open(uncured: Calls, kind: str) -> None:
    answer = "none" if kind == "WebSocket" else HOSTILE[kind]
    assert uncured(kind=kind, count=2)["ends"] == {f"{answer}, open": 2}


@needs_library
def test_the_worker_forgets_calls_that_are_answered(cured: Calls, uncured: Calls) -> None:
    assert cured(kind="healthy", count=200) | {"memory_mb": 0} == {
        "ends": {"200, ended": 200},
        "references": 0,
        "memory_mb": 0,
    }
    assert uncured(kind="healthy", count=200)["references"] >= 200


@needs_library
@pytest.mark.long
@pytest.mark.timeout(900)
def test_memory_is_level_after_20_000_of_50_000_calls(cured: Calls) -> None:
    at_20_000 = cured(kind="healthy", count=20_000)["memory_mb"]
    at_50_000 = cured(kind="healthy", count=30_000)["memory_mb"]
    assert at_50_000 - at_20_000 < 3, "the leak alone would be 66 MB"


@needs_library
def test_no_line_of_the_worker_has_a_key_or_an_id_in_it(cured: Calls, uncured: Calls) -> None:
    """Microsoft's own server would print the path and the query of every call."""
    for running in cured, uncured:
        running(kind="canary", count=3)
        running(kind="healthy", count=1)
    assert "CANARY" not in "".join(cured.printed)
    assert "CANARY-ID?code=CANARY-KEY" in "".join(uncured.printed)


@needs_library
def test_a_connection_of_the_hosts_pool_is_not_closed_under_a_call(cured: Calls, uncured: Calls) -> None:
    assert [running(idle=IDLE_SECONDS)["open"] for running in (cured, uncured)] == [True, False]


@needs_library
def test_every_cure_finds_its_place_in_microsofts_library(cured: Calls) -> None:
    cured(kind="healthy", count=1)
    assert "has changed" not in "".join(cured.printed)


# --- the places of the cures


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpCoordinator]:
    """A worker as the local host offers it. The fixture undoes the changes of the cures."""
    from azurefunctions.extensions.http.fastapi import web

    monkeypatch.setattr(web, "uvicorn", web.uvicorn)
    monkeypatch.setattr(PathConvertor, "regex", ".*")
    with offered() as halves:
        yield halves.coordinator


def test_nothing_is_printed_or_changed_where_no_worker_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from azurefunctions.extensions.http.fastapi import web

    for name in worker.HALVES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    before = web.uvicorn
    worker.cure()
    assert web.uvicorn is before
    assert capsys.readouterr().out == ""


def test_the_web_server_is_made_with_the_cures_options(places: HttpCoordinator) -> None:
    from azurefunctions.extensions.http.fastapi import web

    worker.cure()
    worker.cure()  # a second import of the app changes nothing more
    config = web.uvicorn.Config(None, host="127.0.0.1", port=0, log_config=None)
    assert (config.timeout_keep_alive, config.access_log, config.ws) == (75, False, "none")


@pytest.mark.anyio
async def test_the_wait_ends_and_the_call_is_forgotten_a_moment_later(places: HttpCoordinator) -> None:
    worker.cure(half_seconds=0.02, forget_seconds=0.05)
    with pytest.raises(TimeoutError, match="did not come within"):
        await places.get_http_request_async("a")
    places.set_http_response("a", "an error")  # as the worker does, through the same reference
    assert "a" in places._context_references
    await asyncio.sleep(0.2)
    assert places._context_references == {}


@pytest.mark.anyio
async def test_a_flood_of_calls_without_a_request_ends_the_oldest_and_no_other(
    places: HttpCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_WAITING", 20)
    worker.cure(half_seconds=30, forget_seconds=0.01)
    waits = [asyncio.create_task(places.get_http_request_async(f"lost {number}")) for number in range(50)]
    await asyncio.sleep(0.1)
    assert [wait.done() for wait in waits] == [True] * 30 + [False] * 20
    assert all(isinstance(wait.exception(), TimeoutError) for wait in waits[:30])
    healthy = asyncio.create_task(places.get_http_request_async("healthy"))
    await asyncio.sleep(0)
    places.set_http_request("healthy", "request")
    assert await healthy == "request"
    for wait in waits[30:]:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    given_up = {f"lost {number}" for number in range(30)}
    async with asyncio.timeout(5):
        while given_up & set(places._context_references):
            await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_a_request_whose_invocation_was_given_up_does_not_wait_for_ever(places: HttpCoordinator) -> None:
    worker.cure(half_seconds=0.05, forget_seconds=0.02)
    with pytest.raises(TimeoutError, match="did not come"):
        await places.get_http_request_async("late")
    await asyncio.sleep(0.15)
    places.set_http_request("late", "request")
    with pytest.raises(TimeoutError, match="no invocation took"):
        await places.await_http_response_async("late")
    await asyncio.sleep(0.15)
    assert places._context_references == {}


@pytest.mark.anyio
@pytest.mark.parametrize("waits_first", [True, False])
async def test_a_request_that_was_taken_waits_as_long_as_the_function_takes(
    places: HttpCoordinator, waits_first: bool
) -> None:
    worker.cure(half_seconds=0.05, forget_seconds=0.02)
    places.set_http_request("slow", "request")
    waiting = asyncio.create_task(places.await_http_response_async("slow")) if waits_first else None
    await asyncio.sleep(0)
    assert await places.get_http_request_async("slow") == "request"
    waiting = waiting or asyncio.create_task(places.await_http_response_async("slow"))
    await asyncio.sleep(0.2)
    places.set_http_response("slow", "answer")
    assert await waiting == "answer"
    await asyncio.sleep(0.1)
    assert places._context_references == {}


@pytest.mark.anyio
async def test_an_answer_that_is_asked_for_again_at_once_is_no_endless_wait(places: HttpCoordinator) -> None:
    worker.cure(forget_seconds=0.3)
    places.set_http_request("a", "request")
    assert await places.get_http_request_async("a") == "request"
    places.set_http_response("a", "answer")
    assert await places.await_http_response_async("a") == "answer"
    places.set_http_request("a", "the same request again")
    with pytest.raises(ValueError, match="answered before"):
        await asyncio.wait_for(places.await_http_response_async("a"), 0.1)
    assert places._context_references == {}


@pytest.mark.anyio
async def test_of_an_answered_call_the_worker_keeps_the_id_alone_and_not_for_long() -> None:
    recent = worker.Recent(0.05)
    for id_ in ("a", "b"):
        recent.add(id_)
        await asyncio.sleep(0.04)
        assert id_ in recent
    async with asyncio.timeout(5):
        while recent.new or recent.old:
            await asyncio.sleep(0.01)
    recent.add("c")
    assert "a" not in recent
    assert "c" in recent


MOVED = {  # a name that Microsoft may move: a way to remove it
    "end_waiting": lambda halves: delattr(halves, "http_coordinator"),
    "set_server_options": lambda halves: sys.modules.pop(worker.SERVER),
    "match_every_path": lambda halves: sys.modules.pop(worker.CONVERTORS),
}


@pytest.mark.parametrize("name", MOVED)
def test_a_name_that_moved_costs_its_cure_and_a_line_and_no_more(
    places: HttpCoordinator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    from azurefunctions.extensions.http.fastapi import web

    for module in worker.SERVER, worker.CONVERTORS:
        monkeypatch.setitem(sys.modules, module, sys.modules[module])
    MOVED[name](sys.modules[MODULE])
    worker.cure()
    told = capsys.readouterr().out
    assert told.startswith(f"Microsoft's worker has changed, see {name} in proxy/worker.py: ")
    assert told.count("\n") == 1
    applied = {
        "end_waiting": "get_http_request_async" in vars(places),
        "set_server_options": isinstance(web.uvicorn, SimpleNamespace),
        "match_every_path": PathConvertor.regex == worker.EVERY_PATH,
    }
    assert {cure for cure, is_applied in applied.items() if not is_applied} == {name}


def test_an_option_that_uvicorn_no_longer_has_is_not_passed_on(
    places: HttpCoordinator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from azurefunctions.extensions.http.fastapi import web

    other = ModuleType("uvicorn")
    other.Config, other.Server = (lambda app, *, ws: None), None  # type: ignore[attr-defined]
    monkeypatch.setattr(web, "uvicorn", other)
    worker.cure()
    assert web.uvicorn is other
    assert "access_log, timeout_keep_alive" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "value", "refused"),
    [
        ((3, 11), None, True),
        ((3, 12), "0", True),
        ((3, 12), " True ", False),
        ((3, 11), "1", False),
        ((3, 13), None, False),
    ],
)
def test_the_app_is_refused_aloud_where_no_call_would_be_answered(
    version: tuple[int, int], value: str | None, refused: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {} if value is None else {"PYTHON_ENABLE_INIT_INDEXING": value}
    if not refused:
        worker.require_indexing(environ, version)
        return
    with pytest.raises(RuntimeError, match="PYTHON_ENABLE_INIT_INDEXING"):
        worker.require_indexing(environ, version)
    assert capsys.readouterr().out.startswith("Set PYTHON_ENABLE_INIT_INDEXING to 1: ")
