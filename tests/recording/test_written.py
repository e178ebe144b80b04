"""A cassette on disk is always whole, whatever happens to its writer."""

import itertools
import multiprocessing
import os
import random
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from emulator.recording.recorder import Recorder
from emulator.recording.run import Run
from emulator.scrub.scrub import Known
from emulator.tape import cassette
from emulator.tape.cassette import Request, Response

BASE = "https://live.example.com"
WORKERS, EACH = 6, 8


def recorder(folder: Path, run: Path, mode: str) -> Recorder:
    return Recorder(folder, mode, Known(BASE), Run(run))


def keep(taking: Recorder, asked: int, answer: str) -> None:
    body = b'{"model":"m","input":"%d"}' % asked
    request = Request("POST", f"{BASE}/openai/v1/responses", (), body)
    place = taking.start(request)
    taking.end(place, request, Response(200, "OK", (("content-type", "application/json"),), answer.encode()))


def write_for_ever(folder: Path, run: Path, first: int, begun: Event) -> None:
    """Two whole recordings of three answers each. Each consists of one letter."""
    for number in itertools.count(first):
        taking = recorder(folder, run / str(number), "rewrite")
        taking.begin("x")
        for asked in range(3):
            keep(taking, asked, "ab"[number % 2] * 5_000)
        taking.finish()
        begun.set()


@pytest.mark.parametrize("moments", [25, pytest.param(100, marks=pytest.mark.long)])
def test_killed_at_any_moment_the_old_file_or_the_new_one_is_there(tmp_path: Path, moments: int) -> None:
    context = multiprocessing.get_context("fork")
    path, random_moment = tmp_path / "x.yaml", random.Random(4)
    seen = set()
    for moment in range(moments):
        begun = context.Event()
        process = context.Process(target=write_for_ever, args=(tmp_path, tmp_path / f"run-{moment}", moment, begun))
        process.start()
        assert begun.wait(30)
        time.sleep(random_moment.uniform(0, 0.03))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        read = cassette.load(path).interactions
        letters = {interaction.response.body[:1] for interaction in read}
        assert (len(read), len(letters)) == (3, 1), "two recordings are mixed"
        seen |= letters
    assert seen == {b"a", b"b"}
    assert [file.name for file in tmp_path.rglob("*.yaml")] == ["x.yaml"], "what was left half done is no cassette"


def write_some(folder: Path, run: Path, worker: int) -> None:
    taking = recorder(folder, run, "new_episodes")
    for number in range(EACH):
        taking.begin("shared")
        keep(taking, worker * 100 + number, "answer")
        taking.finish()


def test_recording_side_by_side_loses_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=write_some, args=(tmp_path, tmp_path / "run", worker)) for worker in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    asked = {i.request.body for i in cassette.load(tmp_path / "shared.yaml").interactions}
    assert len(asked) == WORKERS * EACH
    assert Run(tmp_path / "run").spent.requests == WORKERS * EACH


def test_a_cassette_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("interactions: [\n")
    taking = recorder(tmp_path, tmp_path / "run", "all")
    taking.begin("x")
    keep(taking, 1, "answer")
    with pytest.raises(cassette.CassetteError, match=r"x\.yaml"):
        taking.finish()
    assert path.read_text() == "interactions: [\n"


def test_a_recording_that_was_interrupted_changes_nothing(tmp_path: Path) -> None:
    taking = recorder(tmp_path, tmp_path / "run", "rewrite")
    taking.begin("x")
    keep(taking, 1, "old")
    taking.finish()
    before = (tmp_path / "x.yaml").read_bytes()
    taking.begin("x")
    keep(taking, 1, "new")
    assert (tmp_path / "x.yaml").read_bytes() == before


def test_an_answer_that_has_not_ended_is_told_and_joins_no_other_cassette(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.recording.recorder.SETTLE_SECONDS", 0.05)
    taking = recorder(tmp_path, tmp_path / "run", "all")
    taking.begin("first")
    request = Request("POST", f"{BASE}/openai/v1/responses", (), b"{}")
    late = taking.start(request)
    keep(taking, 1, "answer")
    assert len(taking.finish()) == 1
    assert taking.run.notes[0]["refused"] == "1 answers"
    taking.begin("second")
    taking.end(late, request, Response(200, "OK", (), b"late"))
    assert taking.finish() == []
    assert not (tmp_path / "second.yaml").exists()
