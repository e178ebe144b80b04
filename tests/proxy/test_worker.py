"""proxy/worker.py cures gaps of Microsoft's worker. The tests use Microsoft's worker library, where it is installed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from emulator.stack import ROOT
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
