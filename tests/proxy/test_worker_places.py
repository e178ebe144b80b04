"""The cures of proxy/worker.py find their places in the worker that the local host offers, or say what has moved."""

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest
from starlette.convertors import PathConvertor

from emulator.host.workers.coordinator import MODULE, HttpCoordinator, offered
from proxy import worker


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
    worker.cure()
    places.set_http_request("a", "request")
    assert await places.get_http_request_async("a") == "request"
    places.set_http_response("a", "answer")
    assert await places.await_http_response_async("a") == "answer"
    places.set_http_request("a", "the same request again")
    with pytest.raises(ValueError, match="answered before"):
        await asyncio.wait_for(places.await_http_response_async("a"), 0.1)
    assert places._context_references == {}


def test_of_answered_calls_the_worker_keeps_the_last_ids_alone() -> None:
    recent = worker.Recent(100)
    for number in range(1_000):
        recent.add(str(number))
        assert all(str(last) in recent for last in range(max(0, number - 99), number + 1))
        assert len(recent.new) + len(recent.old) <= 200
    assert "0" not in recent


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
