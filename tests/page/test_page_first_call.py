"""Somebody opens the page before their first call, which the proxy refuses."""

from typing import Any

import httpx
import pytest

from tests.page.browser import Tab, needs_browser
from tests.test_cli import started

pytestmark = [needs_browser, pytest.mark.long]
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


def test_the_page_says_how_to_call_why_a_call_stopped_and_when_it_works(browser: Any) -> None:
    with started("serve", "--port", "0", "--page-port", "0") as (served, _):
        key = {"x-functions-key": served["function_key"]}
        tab = Tab(browser, served["control_url"].removesuffix("/_emulator/")).open()
        tab.locator("#empty h2", has_text=served["base_url"]).wait_for()
        texts = tab.locator("#empty .to-copy pre").all_inner_texts()
        assert [text for text in texts if served["function_key"] in text] == []
        assert len(texts) == 3
        url = f"{served['base_url']}/chat/completions"
        assert httpx.post(url, json=QUESTION, headers={"authorization": "Bearer mine"}).status_code == 401
        tab.locator("#rows a", has_text="send it as `x-functions-key`").wait_for()
        tab.locator("#empty .message", has_text="The call stopped at the proxy.").wait_for()
        assert tab.locator("#empty .steps .done").all_inner_texts()[-1].endswith("The proxy was called")
        tab.locator("#rows a").click()
        tab.locator("#tab-miss", has_text="Stopped").wait_for()
        assert "x-functions-key" in tab.text("#panel .advice")
        assert httpx.post(url, json=QUESTION, headers=key).status_code == 200
        tab.locator("#empty .good", has_text="It works.").wait_for()
        asked = {**QUESTION, "messages": [{"role": "user", "content": "What is the capital of Frence?"}]}
        missed = httpx.post(url, json=asked, headers=key)
        link = missed.json()["error"]["message"].split("/_emulator/")[-1].split()[0]
        assert link.startswith("#/"), "a miss links to itself"
        tab.go(link).locator(".difference mark", has_text="Frence?").wait_for()
        tab.close()


def test_beyond_loopback_the_page_asks_for_the_token_and_takes_it_out_of_the_address(browser: Any) -> None:
    beyond = ("--host", "0.0.0.0", "--page-host", "127.0.0.1")  # noqa: S104
    with started("serve", *beyond, "--port", "0", "--page-port", "0") as (served, _):
        tab = Tab(browser, served["control_url"].removesuffix("/_emulator/"))
        tab.allowed += ["401", "Password field"]
        tab.page.goto(served["control_url"])
        tab.locator("#token").fill(served["control_token"])
        tab.locator("#token").press("Enter")
        tab.locator('#light[data-light="live"]').wait_for()
        tab.close()
        tab = Tab(browser, served["control_url"].removesuffix("/_emulator/"))
        tab.page.goto(served["page"])
        tab.locator('#light[data-light="live"]').wait_for()
        assert "token" not in tab.page.url
        tab.close()
