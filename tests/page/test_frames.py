"""What a plot of a stream shows, and the sentence that says it."""

import re
import threading
import time
from typing import Any

from emulator.azure.asgi import headers_of
from emulator.azure.journal import Exchange
from emulator.page import frames
from tests.page.conftest import STREAM, Running
from tests.page.test_feed import wait


def told(running: Running, after: int = 0) -> Any:
    number = running.azure.journal.exchanges[-1].number
    return running.get(f"calls/{number}/frames?after={after}")


def test_the_schedule_is_the_recorded_one_as_fast_as_it_was_played(running: Running) -> None:
    running.azure.time_scale = 0.5
    running.ask(STREAM)
    first = told(running)
    assert (first["schedule"], first["time_scale"], first["now_ms"]) == ([20, 40, 60, 80], 0.5, None)
    assert [frame["due_ms"] for frame in first["frames"]] == first["schedule"]
    assert told(running, after=1)["schedule"] is None, "it was told already"
    story = first["story"]
    assert story["sentence"].startswith("4 frames in ")
    assert "(recorded 80). First after 2" in story["sentence"]
    assert story["sentence"].endswith(" ms late.")
    assert 0 <= story["late_ms"] < 500


def test_what_left_at_once_has_no_schedule(running: Running) -> None:
    running.ask(STREAM)
    answer = told(running)
    assert (answer["schedule"], {frame["due_ms"] for frame in answer["frames"]}) == (None, {None})
    assert answer["frames"][2]["recorded_ms"] == 30
    assert answer["story"]["sentence"].endswith("Sent at once.")


def test_a_stream_that_stalls_says_since_when_nothing_came(running: Running) -> None:
    running.azure.time_scale = 1.0
    running.azure.misbehave("stall; at_frame=2")

    def ask() -> None:
        with running.client.stream(
            "POST", "/openai/v1/chat/completions", content=STREAM, headers={"api-key": running.azure.api_key}
        ) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            may_leave.wait(10)

    may_leave = threading.Event()
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        wait(lambda: bool(running.azure.journal.exchanges and len(running.azure.journal.exchanges[-1].sent_at) == 2))
        time.sleep(0.3)
        answer = told(running)
    finally:
        may_leave.set()
        asking.join()
    assert (answer["outcome"], answer["planned"], len(answer["frames"])) == ("open", 4, 2)
    assert answer["schedule"] == [10, 20, 30, 40], "the recorded curve goes on"
    assert answer["now_ms"] > 300
    story = answer["story"]
    assert story["sentence"].startswith("2 of 4 frames so far. First after ")
    assert re.search(r"Nothing for [0-9,]{3,} ms", story["sentence"])
    assert (story["gap"]["before"], story["gap"]["is_long"]) == (3, True)
    wait(lambda: running.azure.journal.exchanges[-1].ended_at is not None)
    assert ", then the client left. " in told(running)["story"]["sentence"]


def exchange(sent_at: list[float], planned: int, outcome: str) -> Exchange:
    made = Exchange("POST", "/", headers_of(()), sent_at=sent_at, sending=[b"x"] * planned, outcome=outcome)
    made.head_at, made.ended_at = 0.0, sent_at[-1]
    return made


def test_a_gap_is_long_where_a_reader_would_feel_it() -> None:
    steady = [0.0, 0.3, 0.6, 0.9]
    for times, is_long, before in ((steady, False, 2), ([*steady, 2.0], True, 5), ([0.0, 0.01, 0.2], False, 3)):
        made = exchange(times, len(times), "complete")
        gap = frames.told(made, 0, 10)["story"]["gap"]
        assert (gap["is_long"], gap["before"]) == (is_long, before)


def test_a_broken_stream_says_how_it_ended() -> None:
    sentence = frames.told(exchange([0.1, 1.3], 4, "reset"), 0, 10)["story"]["sentence"]
    assert sentence == (
        "2 of 4 frames in 1,300 ms, then the connection was reset (RST). First after 100 ms. "
        "Longest gap 1,200 ms, before frame 2."
    )


def test_ten_thousand_frames_are_told_quickly() -> None:
    made = exchange([number / 1_000 for number in range(10_000)], 10_000, "complete")
    began = time.thread_time()
    assert len(frames.told(made, 9_000, 500)["frames"]) == 500
    assert time.thread_time() - began < 0.2
