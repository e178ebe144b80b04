"""A browser for the tests of the page: Debian's Chromium, driven by Playwright, with no network but loopback.

Without either, the tests are skipped: `pip install -r requirements-browser.txt`, `apt-get install chromium`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

try:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, sync_playwright
except ImportError:
    HAS_PLAYWRIGHT = False
else:
    HAS_PLAYWRIGHT = True

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ONLY_LOOPBACK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
WIDE, NARROW = (1280, 800), (320, 800)
SECONDS = 20  # the machine may be busy

needs_browser = pytest.mark.skipif(
    not (HAS_PLAYWRIGHT and CHROMIUM), reason="needs Playwright (requirements-browser.txt) and Chromium"
)


@contextmanager
def chromium() -> Iterator["Browser"]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[ONLY_LOOPBACK])
        yield browser
        browser.close()


class Tab:
    """The page in a tab of its own. What the browser complains of, and every request elsewhere, fails the test."""

    def __init__(self, browser: "Browser", base: str, size: tuple[int, int] = WIDE, **options: Any) -> None:
        self.base = base
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        self.context.set_default_timeout(1000 * SECONDS)
        self.page: Page = self.context.new_page()
        self.complaints = list[str]()
        self.allowed = list[str]()  # parts of complaints that a test means to cause
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error}"))
        self.page.on("dialog", self._asked)
        self.page.on("request", self._requested)

    def _heard(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):  # a report of the Content Security Policy is one, too
            self.complaints.append(message.text)

    def _asked(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: "Request") -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.complaints.append(f"a request to {request.url}")

    def open(self, place: str = "#/") -> "Tab":
        """Opens the page there, and waits until it is live."""
        self.page.goto(f"{self.base}/_emulator/{place}")
        self.page.locator('#light[data-light="live"]').wait_for()
        return self

    def go(self, place: str) -> "Tab":
        """Goes there as a link does, without another load."""
        self.page.evaluate("place => { location.hash = place }", place)
        return self

    def row(self, number: int) -> "Locator":
        return self.page.locator(f'#rows tr[data-number="{number}"]')

    def locator(self, selector: str, **options: Any) -> "Locator":
        return self.page.locator(selector, **options)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def close(self) -> None:
        self.context.close()
        heard = [one for one in self.complaints if not any(part in one for part in self.allowed)]
        assert not heard, heard
