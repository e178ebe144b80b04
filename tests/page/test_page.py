"""The page in a browser: what somebody sees of the calls, and what they can do there."""

import asyncio
import re
import shlex
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace

import httpx
import pytest

from emulator import cli
from emulator.azure.journal import Exchange
from emulator.bundle import CASSETTES
from emulator.match.library import Library
from tests.page.browser import Tab, needs_browser
from tests.page.conftest import CHAT, PLAIN, STREAM, Running, recordings

pytestmark = needs_browser
LATE_MS = 20.0
BUSY_SECONDS = 80.0  # so long the machine may be busy with other browsers


def streaming(running: Running) -> AbstractContextManager[httpx.Response]:
    """A client that holds a stream open until it leaves. What is sent fits into the socket, read or not."""
    return running.client.stream("POST", CHAT, content=STREAM, headers={"api-key": running.azure.api_key})


def last(running: Running) -> int:
    return running.azure.journal.exchanges[-1].number


def slower(running: Running, ms: float) -> None:
    """The recorded stream with so many ms between its frames, replayed as recorded."""
    plain, story = recordings()
    times = tuple(ms * number for number in range(1, 5))
    running.azure.library = Library([plain, replace(story, response=replace(story.response, frame_at_ms=times))])
    running.azure.time_scale = 1.0


def test_a_call_is_a_row_within_a_second_with_its_words_model_status_and_recording(tab: Tab, running: Running) -> None:
    tab.open()
    running.ask()
    began = time.monotonic()
    row = tab.row(last(running))
    row.wait_for()
    assert time.monotonic() - began < 1
    row.locator("b", has_text="200").wait_for()
    shown = row.inner_text()
    assert [word for word in ("Name the planets.", "gpt-4o-mini", "200", "made/planets #1") if word not in shown] == []


def test_a_held_stream_shows_its_frames_one_by_one_and_ends_where_the_last_one_left(tab: Tab, running: Running) -> None:
    slower(running, 10)
    let_go = threading.Semaphore(0)

    async def hold(_: Exchange, __: int) -> None:
        while not let_go.acquire(blocking=False):
            await asyncio.sleep(0.01)

    running.azure.hold = hold
    tab.open()
    with streaming(running) as answer:
        tab.locator('#rows a:has-text("Tell me a story.")').click()
        for held in ("1 of 4", "2 of 4", "3 of 4"):
            let_go.release()
            tab.locator(f'.open-now:has-text("{held} frames")').wait_for()
        let_go.release()
        answer.read()
    tab.locator('.head .verdict:has-text("✓")').wait_for()
    tab.locator(".frames tbody tr").nth(3).wait_for()
    left = [frame["left_ms"] for frame in running.get(f"calls/{last(running)}/frames")["frames"]]
    drawn = [tuple(map(float, pair)) for pair in re.findall(r"H([\d.]+)V([\d.]+)", path(tab, "left"))]
    begin, end = (float(tab.locator(".plot .axis").get_attribute(name) or 0) for name in ("x1", "x2"))
    assert [at for at, _ in drawn] == pytest.approx([begin + (end - begin) * at / left[-1] for at in left], abs=1)


def path(tab: Tab, name: str) -> str:
    return tab.locator(f".plot path.{name}").get_attribute("d") or ""


@pytest.mark.long
def test_on_a_real_schedule_the_curves_lie_together(tab: Tab, running: Running) -> None:
    running.azure.library = Library.from_folders((CASSETTES,))
    running.azure.time_scale = 1.0
    (story,) = (one for one in running.azure.library.interactions() if one.label == "demo/streamed_chat #1")
    tab.open()
    late = list[float]()
    deadline = time.monotonic() + BUSY_SECONDS
    while min(late, default=LATE_MS) >= LATE_MS and time.monotonic() < deadline:
        running.client.post(CHAT, content=story.request.body, headers={"api-key": running.azure.api_key})
        tab.go(f"#/{last(running)}/stream")
        tab.locator('.head .verdict:has-text("✓")').wait_for()
        cells = tab.locator(".frames tbody td:nth-child(4)")
        while len(told := cells.all_inner_texts()) < len(story.response.frames()):
            time.sleep(0.05)  # the page draws the table anew when the call ends
        late.append(max(map(float, told)))
    assert min(late) < LATE_MS
    assert path(tab, "recorded").count("V") == pytest.approx(path(tab, "left").count("V"), abs=8)


def test_a_stall_is_flat_beside_the_recorded_curve_and_its_fault_is_named(tab: Tab, running: Running) -> None:
    slower(running, 100)
    tab.open()
    running.patch(fault="stall; at_frame=3")
    with streaming(running):
        tab.locator('#rows a:has-text("Tell me a story.")').click()
        tab.locator('.open-now:has-text("3 of 4 frames, nothing for 1 s")').wait_for()
        flat = re.search(r"V([\d.]+)H([\d.]+)$", path(tab, "left"))
        frames = re.findall(r"H([\d.]+)V", path(tab, "left"))
        assert flat is not None
        assert float(flat[2]) > float(frames[-1]) + 50, "after the last frame it goes on, flat"
        assert len(re.findall("V", path(tab, "recorded"))) == 4
        assert tab.locator(".plot text.fault").text_content() == "stall; at_frame=3"
        assert "stall; at_frame=3" in tab.text("#banners")
        tab.locator("#banners button", has_text="Stop").click()
        tab.locator("#banners").wait_for(state="hidden")
    assert running.get("state")["fault"] is None


def test_a_miss_shows_the_word_that_differs_and_a_command_that_mends_it(tab: Tab, running: Running) -> None:
    answer = running.ask(PLAIN.replace(b"planets", b"planetz"))
    assert answer.status_code == 424
    tab.open()
    tab.row(last(running)).locator("a").click()
    changed = tab.locator(".difference tr.changed")
    changed.wait_for()
    assert changed.count() == 1
    assert changed.locator("mark").all_inner_texts() == ["planets.", "planetz."]
    assert "only messages[0].content differs" in tab.text("#panel h3 >> nth=0")
    commands = [text for text in tab.locator(".way pre").all_inner_texts() if text.startswith("python -m emulator")]
    assert commands
    for command in commands:
        assert cli.parser().parse_args(shlex.split(command)[3:])


def test_a_link_opens_a_miss_back_leads_to_the_list_and_a_number_that_is_gone_says_so(
    tab: Tab, running: Running
) -> None:
    running.ask(PLAIN.replace(b"planets", b"planetz"))
    number = last(running)
    tab.open()
    tab.row(number).locator("a").click()
    tab.locator("#tab-miss[aria-selected=true]").wait_for()
    tab.page.go_back()
    tab.locator("#detail").wait_for(state="hidden")
    tab.open(f"#/{number}/miss")
    tab.locator(".difference tr.changed").wait_for()
    running.azure.reset()
    tab.allowed.append("404")
    tab.locator(f'#detail .message:has-text("Call {number} is gone")').wait_for()


def test_a_fault_that_is_set_on_the_page_hits_the_next_call_until_stop(tab: Tab, running: Running) -> None:
    tab.open("#/controls")
    tab.locator("#fault").select_option("rate_limited")
    tab.locator("fieldset", has_text="Fault").get_by_role("button", name="Set").click()
    tab.locator('#banners:has-text("Every answer goes wrong: rate_limited")').wait_for()
    assert running.ask().status_code == 429
    tab.locator("#banners button", has_text="Stop").click()
    tab.locator("#banners").wait_for(state="hidden")
    assert running.ask().status_code == 200


def test_a_wrong_wish_says_why_under_its_field(tab: Tab, running: Running) -> None:
    tab.open("#/controls")
    tab.allowed.append("400")
    tab.locator("#wish").fill("stal; at_frame=3")
    tab.locator("#wish").press("Enter")
    wrong = tab.locator("#fault-wrong")
    wrong.filter(has_text="There is no fault 'stal'. There are slow_first_byte").wait_for()
    assert tab.locator("#wish").get_attribute("aria-describedby") == "fault-wrong"
    assert running.get("state")["fault"] is None


def test_a_reset_asks_first(tab: Tab, running: Running) -> None:
    running.ask()
    tab.open("#/controls")
    tab.locator("#reset").click()
    tab.locator("dialog").get_by_role("button", name="Close").click()
    assert running.get("state")["counts"]["calls"] == 1
    tab.locator("#reset").click()
    tab.locator("dialog").get_by_role("button", name="Reset").click()
    tab.go("#/").locator("#empty h2").wait_for()
    assert running.get("state")["counts"]["calls"] == 0


@pytest.mark.long
def test_a_cassette_is_a_conversation_with_its_schedule_and_the_calls_it_answered(tab: Tab, running: Running) -> None:
    tab.open("#/cassettes")
    tab.locator(".cassettes a", has_text="streamed_chat").first.click()
    tab.locator("#cassettes h2", has_text="demo/streamed_chat").wait_for()
    assert "Count the stops of a night train" in tab.text(".saying[data-who=user]")
    assert "recorded in" in (tab.locator("#cassettes .plot").get_attribute("aria-label") or "")
    tab.locator("summary", has_text="Request").click()
    assert '"stream": true' in tab.text("#cassettes .body pre")
