"""The control API shows the calls: in rows, one by one, frame by frame, and as they come."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from emulator.azure.journal import LONGEST, Exchange
from emulator.page import calls
from emulator.page.asked import Asked
from emulator.page.control import Control
from emulator.page.routes import Route
from emulator.page.subject import Subject
from emulator.page.waiting import MOST
from tests.page.conftest import ANSWER, FRAMES, PLAIN, STREAM, Running


def test_a_call_is_a_row(running: Running) -> None:
    running.ask()
    (row,) = running.get("calls")["calls"]
    at = datetime.fromisoformat(row.pop("at"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 5
    assert 0 < row.pop("first_ms") <= row.pop("ms")
    assert row == {
        "number": running.azure.journal.exchanges[0].number,
        "method": "POST",
        "target": "/openai/v1/chat/completions",
        "route": "chat/completions",
        "generation": "v1",
        "api_version": None,
        "model": "gpt-4o-mini",
        "stream": False,
        "asked": "Name the planets.",
        "status": 200,
        "outcome": "complete",
        "recording": "made/planets #1",
        "origin": None,
        "missed": False,
        "fault": None,
        "call": None,
        "stopped": None,
        "test": None,
        "frames": 1,
        "planned": 1,
        "bytes_in": len(PLAIN),
        "body_dropped": False,
        "bytes_out": len(ANSWER),
    }


def test_one_call_has_all_that_was_said(running: Running) -> None:
    running.ask()
    number = running.get("calls")["calls"][0]["number"]
    call = running.get(f"calls/{number}")
    assert call["said"] == [{"who": "user", "text": "Name the planets."}, {"who": "assistant", "text": "Mercury …"}]
    assert (call["body"], call["answer"]["body"]) == (PLAIN.decode(), ANSWER.decode())
    assert ["content-type", "application/json"] in call["answer"]["headers"]
    assert ["api-key", "hidden"] in call["headers"]
    assert (call["usage"]["input"], call["usage"]["output"]) == (4, 6)
    assert call["usage"]["dollars"] > 0
    for name, content in (("request", PLAIN), ("answer", ANSWER)):
        answer = running.api("GET", f"calls/{number}/{name}")
        assert (answer.content, answer.headers["content-type"]) == (content, "application/octet-stream")
        assert answer.headers["content-disposition"] == f'attachment; filename="call-{number}-{name}"'


@pytest.mark.parametrize(("body", "key", "status"), [(PLAIN, "wrong", 401), (b"{}", "", 424), (PLAIN, "", 429)])
def test_what_azure_refuses_is_kept_with_its_headers_and_its_body(
    running: Running, body: bytes, key: str, status: int
) -> None:
    running.patch(limits={"requests": 1})
    if status == 429:
        running.ask()
    answer = running.ask(body, **({"api-key": key} if key else {}))
    number = running.azure.journal.exchanges[-1].number
    told = running.get(f"calls/{number}")
    assert (answer.status_code, told["status"]) == (status, status)
    assert told["answer"]["body"] == answer.text
    assert dict(told["answer"]["headers"]) == {name.lower(): value for name, value in answer.headers.items()}
    assert running.api("GET", f"calls/{number}/answer").content == answer.content
    assert (told["miss"] is not None) == told["missed"] == (status == 424)


def test_what_no_json_can_hold_is_told_all_the_same(running: Running) -> None:
    bodies = [
        b"\xff\xfe",
        b'{"model":"m","messages":[{"role":"user","content":"\\ud800 <script>"}]}',
        b"5",
        b"",
        b"[" * 300,
    ]
    for body in bodies:
        running.ask(body)
        number = running.azure.journal.exchanges[-1].number
        assert running.get(f"calls/{number}")["bytes_in"] == len(body)
        assert running.api("GET", f"calls/{number}/request").content == body
    assert len(running.get("calls")["calls"]) == len(bodies)


def test_a_large_body_is_no_part_of_a_row_or_a_call(running: Running) -> None:
    running.ask(b'{"model":"gpt-4o-mini","messages":"' + b"a" * 1_000_000 + b'"}')
    (row,) = running.get("calls")["calls"]
    call = running.get(f"calls/{row['number']}")
    assert (row["asked"], row["model"], row["bytes_in"], call["body"]) == (None, "gpt-4o-mini", 1_000_037, None)


def test_frames_are_told_as_they_left_beside_what_was_recorded(running: Running) -> None:
    running.patch(time_scale=2)
    running.ask(STREAM)
    number = running.get("calls")["calls"][0]["number"]
    told = running.get(f"calls/{number}/frames")
    frames = told["frames"]
    assert (told["planned"], told["outcome"], len(frames)) == (4, "complete", 4)
    assert [frame["recorded_ms"] for frame in frames] == [10, 20, 30, 40]
    assert [frame["due_ms"] for frame in frames] == [5, 10, 15, 20]
    assert all(-1 < frame["left_ms"] - frame["due_ms"] < 500 for frame in frames)
    assert [frame["bytes"] for frame in frames] == [len(frame) for frame in FRAMES]
    assert frames[-1]["data"] == "[DONE]"
    rest = running.get(f"calls/{number}/frames?after=2&limit=1")["frames"]
    assert [frame["number"] for frame in rest] == [3]


def test_a_fault_leaves_its_mark_on_the_plan(running: Running) -> None:
    running.patch(fault="silent_truncation; at_frame=2")
    running.ask(STREAM)
    (row,) = running.get("calls")["calls"]
    assert (row["frames"], row["planned"], row["fault"]) == (2, 4, "silent_truncation; at_frame=2")


def test_numbers_go_on_after_a_reset_and_a_gone_call_says_so(running: Running) -> None:
    running.ask()
    before = running.get("calls")["calls"][0]["number"]
    running.api("POST", "reset", json={})
    running.ask()
    assert running.get("calls")["calls"][0]["number"] == before + 1
    gone, never = (running.api("GET", f"calls/{number}") for number in (before, before + 99))
    assert (gone.status_code, never.status_code) == (404, 404)
    assert f"Call {before} is gone" in gone.json()["error"]["message"]
    assert f"no call {before + 99}" in never.json()["error"]["message"]


def test_the_list_is_read_in_pages_in_both_directions(running: Running) -> None:
    for _ in range(7):
        running.ask()
    numbers = [row["number"] for row in running.get("calls")["calls"]]
    assert numbers == [exchange.number for exchange in running.azure.journal.exchanges]
    newest = running.get("calls?limit=3")
    assert [row["number"] for row in newest["calls"]] == numbers[-3:]
    earlier = running.get(f"calls?limit=3&before={numbers[-3]}")
    assert [row["number"] for row in earlier["calls"]] == numbers[-6:-3]
    after, seen = numbers[0] - 1, list[int]()
    while page := running.get(f"calls?after={after}&limit=3"):
        if not page["calls"]:
            break
        seen += [row["number"] for row in page["calls"]]
        after = page["next"]
    assert (seen, page["next"], page["first"], page["dropped"]) == (numbers, numbers[-1], numbers[0], 0)


def test_calls_that_fell_out_of_the_list_are_counted(running: Running) -> None:
    first = running.azure.journal
    running.ask()
    number = running.get("calls")["calls"][0]["number"]
    for _ in range(LONGEST + 4):
        first.add(Exchange("GET", "/", running.azure.journal.exchanges[-1].headers, ended_at=0.0))
    page = running.get(f"calls?after={number}&limit=1")
    assert (page["dropped"], page["calls"][0]["number"]) == (4, number + 5)


def test_a_text_finds_the_calls_that_hold_it(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("one", "two \\u00e9", "three é"):
        running.ask(f'{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}'.encode())
    assert [row["asked"] for row in running.get("calls?text=two")["calls"]] == ["two é"]
    assert [row["asked"] for row in running.get("calls?text=é")["calls"]] == ["two é", "three é"]
    monkeypatch.setattr(calls, "SEARCHED_BYTES", 100)
    page = running.get("calls?text=e")
    assert (len(page["calls"]), page["searched_to"]) == (1, page["calls"][0]["number"])


def test_who_waits_is_answered_once_enough_calls_are_there(running: Running) -> None:
    running.ask()
    after = running.get("calls")["next"]
    with ThreadPoolExecutor(1) as pool:
        waited = pool.submit(running.get, f"calls?after={after}&ended=true&wait=20&count=2")
        time.sleep(0.1)
        running.ask()
        time.sleep(0.1)
        assert not waited.done()
        running.ask()
        asked = time.monotonic()
        rows = waited.result()["calls"]
    assert time.monotonic() - asked < 2
    assert [(row["number"], row["outcome"]) for row in rows] == [(after + 1, "complete"), (after + 2, "complete")]


def test_a_wait_ends_with_its_time_and_tells_what_there_is(running: Running) -> None:
    begun = time.monotonic()
    assert running.get("calls?wait=1&count=3")["calls"] == []
    assert 0.9 < time.monotonic() - begun < 5


def test_a_call_that_is_open_has_arrived_and_has_not_ended(running: Running) -> None:
    running.patch(fault="stall; at_frame=2")
    after = running.get("calls")["next"]
    with running.client.stream(
        "POST", "/openai/v1/chat/completions", content=STREAM, headers={"api-key": running.azure.api_key}
    ) as answer:
        pieces = answer.iter_bytes()
        next(pieces)
        (row,) = running.get(f"calls?after={after}&wait=5")["calls"]
        assert (row["outcome"], row["planned"], row["bytes_out"], row["ms"]) == ("open", 4, None, None)
        assert running.get(f"calls?after={after}&ended=true")["calls"] == []
    (row,) = running.get(f"calls?after={after}&ended=true&wait=5")["calls"]
    assert row["outcome"] == "client_left"


def test_many_may_wait_and_too_many_are_told_while_calls_are_answered(running: Running) -> None:
    def wait(_: int) -> httpx.Response:
        return httpx.get(f"{running.base}/_emulator/calls?wait=20&count=1", timeout=30, trust_env=False)

    with ThreadPoolExecutor(MOST) as pool:
        waiting = pool.map(wait, range(MOST))
        deadline = time.monotonic() + 10
        while len(running.subject.waiting._wakes) < MOST and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = wait(0)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "too_many_feeds")
        assert running.get("state")["counts"]["calls"] == 0, "the emulator answers meanwhile"
        running.ask()
        assert [len(answer.json()["calls"]) for answer in waiting] == [1] * MOST
    assert not running.azure.journal._waiting


def test_who_leaves_waits_no_longer(running: Running) -> None:
    with pytest.raises(httpx.ReadTimeout):
        running.client.get("/_emulator/calls?wait=20", timeout=0.2)
    deadline = time.monotonic() + 5
    while running.subject.waiting._wakes and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not running.subject.waiting._wakes


def test_what_takes_long_keeps_no_call_from_its_answer(running: Running) -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow(_: Subject, __: Asked) -> dict[str, bool]:
        began.set()
        return {"is_told": may_end.wait(20)}

    control = running.azure.control
    running.azure.control = Control(running.subject, routes=(Route("GET", "slow", slow),))
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(httpx.get, f"{running.base}/_emulator/slow", timeout=30, trust_env=False)
            assert began.wait(10)
            assert running.ask().status_code == 200
            assert not answer.done()
            may_end.set()
            assert answer.result().json() == {"is_told": True}
    finally:
        running.azure.control = control
