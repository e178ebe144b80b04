"""Everybody reaches everything: with the keyboard alone, by a screen reader, on a small screen, in light and dark."""

import os
import subprocess
from typing import Any

import pytest

from tests.page.browser import NARROW, WIDE, Tab, needs_browser
from tests.page.conftest import PLAIN, STREAM, Running

pytestmark = needs_browser
MOST_TABS = 80


def prepared(running: Running) -> None:
    """A call, a stream, a miss, an error, in this order."""
    running.ask()
    running.azure.time_scale = 1.0
    running.ask(STREAM)
    running.ask(PLAIN.replace(b"planets", b"planetz"))
    running.ask(**{"openai-emulator-fault": "rate_limited"})


def focused(tab: Tab) -> str:
    return str(tab.page.evaluate("(({ id, localName }) => id || localName)(document.activeElement)"))


def test_with_the_keyboard_alone_a_call_is_found_read_and_called_again(browser: Any, running: Running) -> None:
    prepared(running)
    tab = Tab(browser, running.base, permissions=["clipboard-read", "clipboard-write"])
    press = tab.page.keyboard.press
    tab.open()
    number = running.azure.journal.exchanges[0].number
    press("/")
    tab.page.keyboard.type("planets. status:200")
    tab.row(number + 1).wait_for(state="detached")
    press("Escape")
    tab.page.wait_for_timeout(100)
    assert tab.row(number + 3).count() == 0, "the filter stays"
    press("Enter")
    tab.locator("#tab-conversation[aria-selected=true]").wait_for()
    press("Enter")
    assert focused(tab) == "panel"
    press("2")
    tab.locator("#tab-request[aria-selected=true]").wait_for()
    press("c")
    tab.locator("#copy-curl", has_text="Copied").wait_for()
    curl = tab.page.evaluate("navigator.clipboard.readText()")
    environment = {"AZURE_OPENAI_BASE": running.base, "AZURE_OPENAI_API_KEY": running.azure.api_key}
    done = subprocess.run(["bash", "-c", curl], env=os.environ | environment, capture_output=True, timeout=30)
    assert done.stdout == running.azure.library.interactions()[0].response.body
    press("Escape")
    tab.locator("#detail").wait_for(state="hidden")
    assert tab.page.evaluate("document.activeElement.closest('tr')?.dataset.number") == str(number)
    tab.close()


def test_j_and_k_go_through_the_calls_and_letters_can_be_turned_off(tab: Tab, running: Running) -> None:
    prepared(running)
    numbers = [exchange.number for exchange in running.azure.journal.exchanges]
    press = tab.page.keyboard.press
    tab.open(f"#/{numbers[0]}")
    tab.locator("#panel").focus()
    press("j")
    tab.locator(f"#detail h2 b:text-is('{numbers[1]}')").wait_for()
    press("m")
    tab.locator(f"#detail h2 b:text-is('{numbers[2]}')").wait_for()
    press("k")
    tab.locator(f"#detail h2 b:text-is('{numbers[1]}')").wait_for()
    press("?")
    tab.locator("dialog input[type=checkbox]").uncheck()
    tab.locator("dialog").get_by_role("button", name="Close").click()
    tab.locator("#panel").focus()
    press("j")
    press("1")
    press("Control+k")
    tab.page.wait_for_timeout(200)
    assert tab.text("#detail h2 b") == str(numbers[1])


def test_tab_is_never_caught(tab: Tab, running: Running) -> None:
    prepared(running)
    number = running.azure.journal.exchanges[0].number
    for place in ("#/", f"#/{number + 1}/stream", f"#/{number + 2}/miss", "#/controls"):
        tab.open(place)
        tab.page.wait_for_timeout(200)
        seen = list[str]()
        for _ in range(MOST_TABS):
            tab.page.keyboard.press("Tab")
            seen.append(focused(tab))
            if seen[-1] == "body":
                break
        assert seen[-1] == "body", f"{place}: out of the page again, after {seen}"
        assert len(set(seen)) > 4
        if place != "#/controls":
            rows = tab.page.evaluate("document.querySelectorAll('#rows a[tabindex=\"0\"]').length")
            assert rows == 1, "the list has one stop"


STATES = {
    "empty": "#/",
    "list": "#/",
    "filtered": "#/?q=nothing",
    "conversation": "#/{0}",
    "stream": "#/{1}/stream?frame=2",
    "miss": "#/{2}/miss",
    "request": "#/{0}/request",
    "answer": "#/{3}/answer",
    "gone": "#/999999",
    "cassettes": "#/cassettes",
    "cassette": "#/cassettes/demo/streamed_chat/1",
    "controls": "#/controls",
}


@pytest.mark.long
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_cut_off(browser: Any, running: Running, scheme: str, size: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tab = Tab(browser, running.base, size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    tab.allowed.append("404")
    found, numbers = dict[str, Any](), list[int]()
    for name, place in STATES.items():
        tab.open(place.format(*numbers) if numbers or "{" not in place else "#/")
        tab.page.wait_for_timeout(300)
        report = Axe().run(tab.page, options={"resultTypes": ["violations"]})
        if report.violations_count:
            found[name] = report.generate_report()
        wide = tab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found[f"{name}, {wide} px too wide"] = ""
        if name == "empty":
            prepared(running)
            running.patch(fault="stall; at_frame=3")
            numbers = [exchange.number for exchange in running.azure.journal.exchanges]
    tab.close()
    assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())
