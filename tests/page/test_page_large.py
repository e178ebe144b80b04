"""10,000 calls and bodies of 5 MB: the page stays quick, and small."""

import json
import time
from typing import Any

import pytest

from emulator.azure.asgi import headers_of
from emulator.azure.journal import Exchange
from emulator.azure.question import question_of
from tests.page.browser import Tab, needs_browser
from tests.page.conftest import CHAT, Running

pytestmark = [needs_browser, pytest.mark.long]
CALLS = 10_000
BODY_BYTES = 5_000_000
MOST_MS = 200.0
MOST_HEAP_BYTES = 300e6
WORDS = ("planets", "lighthouse", "harbour", "train", "weather", "orchard", "bridge")

TYPED = "const field = document.getElementById('filter'); field.value = '%s'; field.dispatchEvent(new Event('input'))"
ROWS = "[...document.querySelectorAll('#rows a')]"
SHOWN = f"{ROWS}.length && {ROWS}.every((a) => a.textContent.includes('%s'))"
SELECTED = "document.querySelector('#detail h2 b')?.textContent === '%s' && document.querySelector('#panel > *')"


def fill(running: Running) -> None:
    """As if so many calls had come."""
    for number in range(CALLS):
        content = f"Tell me about the {WORDS[number % 7]} of town {number}."
        message = {"role": "user", "content": content if number else "x" * BODY_BYTES}
        body = json.dumps({"model": "gpt-4o-mini", "messages": [message]}).encode()
        exchange = Exchange("POST", CHAT, headers_of(()), body, 200, "made/planets #1")
        exchange.question = question_of("POST", CHAT, body)
        running.azure.journal.add(exchange)
        running.azure.journal.ended(exchange, "complete")


class Measured:
    """The milliseconds of the page's own thread from an act until the page shows what it led to. Others use the
    processors, too, so that a clock would measure them as well."""

    def __init__(self, tab: Tab) -> None:
        self.page, self.session = tab.page, tab.context.new_cdp_session(tab.page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _ms(self) -> float:
        told = self.session.send("Performance.getMetrics")["metrics"]
        return float(next(1000 * metric["value"] for metric in told if metric["name"] == "TaskDuration"))

    def __call__(self, act: str, done: str) -> float:
        wait = f"while (!({done})) await new Promise(requestAnimationFrame)"
        before = self._ms()
        self.page.evaluate(f"async () => {{ {act}; {wait}; }}")
        return self._ms() - before


def test_the_filter_and_the_selection_answer_at_once(browser: Any, running: Running) -> None:
    fill(running)
    first = running.azure.journal.exchanges[0].number
    tab = Tab(browser, running.base)
    tab.open()
    tab.locator(f'#chips button:has-text("All {CALLS:,}")').wait_for()
    took = Measured(tab)
    filtered = [took(TYPED % word, SHOWN % word) for word in ("harbour", "orchard", "bridge")]
    assert max(filtered) < MOST_MS, filtered
    tab.go("#/")
    tab.page.wait_for_timeout(300)
    selected = [
        took(f"location.hash = '#/{number}'", SELECTED % number)
        for number in (first + CALLS - 1, first + CALLS - 50, first + 7)
    ]
    assert max(selected) < MOST_MS, selected
    began = time.monotonic()
    tab.go(f"#/{first}/request")
    tab.locator(".body button", has_text="Show 5.0 MB").click()
    tab.locator(".body pre").wait_for()
    assert time.monotonic() - began < 5, "5 MB come when they are asked for, and in steps"
    assert len(tab.text(".body pre")) < 300_000
    heap = tab.page.evaluate("performance.memory.usedJSHeapSize")
    assert heap < MOST_HEAP_BYTES, heap
    assert tab.page.locator("#rows tr").count() <= 300
    tab.close()
