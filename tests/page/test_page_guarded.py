"""What nobody gets out of the page, or into it: HTML in a prompt, keys, pages of other sites."""

import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.bundle import CASSETTES
from emulator.match.library import Library
from emulator.page.control import Control
from emulator.page.routes import ROUTES
from emulator.page.subject import Subject
from emulator.stack import LocalStack
from tests.page.browser import Tab, needs_browser
from tests.page.conftest import CHAT, Running, recordings
from tests.support import recording

pytestmark = needs_browser
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<svg onload=alert(3)>",
    "javascript:alert(4)",
    "\u202egnorw si siht\u202c",
    "\u200f\u061c\u2066",
    "\x1b[31mred\x1b]8;;http://evil.example\x07",
    "\ud800",
    "{{constructor.constructor('alert(5)')()}}",
]
SPELLED = ["\\u202e", "\\u200f", "\\x1b[31mred", "\\x07", "\\ud800"]
TABS = ("conversation", "stream", "miss", "request", "answer")


def question(prompt: str, **more: Any) -> bytes:
    message = {"role": "<b>user</b>", "content": prompt}
    return json.dumps({"model": "gpt-4o-mini", "messages": [message]} | more).encode()


def elements(tab: Tab) -> Counter[str]:
    """How many there are of each."""
    return Counter(tab.page.evaluate("[...document.querySelectorAll('*')].map((element) => element.localName)"))


def test_what_a_prompt_a_header_a_path_a_model_or_a_frame_holds_is_text(tab: Tab, running: Running) -> None:
    prompt = " ".join(HOSTILE)
    told = json.dumps({"choices": [{"index": 0, "delta": {"content": prompt}}]}).encode()
    frame = b"event: <b>made</b>\ndata: " + told + b"\n\n"
    asked = recording(question(prompt, stream=True), frame + b"data: [DONE]\n\n", sse=True)
    running.azure.library = Library([*recordings(), replace(asked, label=f"made/{HOSTILE[0]} #1")])
    key = {"api-key": running.azure.api_key}
    running.client.post(CHAT, content=question(prompt, stream=True), headers=key | {"x-made-up": HOSTILE[0]})
    running.client.post(CHAT, content=question("?", model=HOSTILE[0]), headers=key)
    running.client.post(CHAT, content=question(prompt)[:-1], headers=key)
    running.client.get(f"/openai/v1/<script>alert(7)</script>?<img src=x onerror=alert(8)>={HOSTILE[4]}", headers=key)
    tab.allowed += ["404", "409"]
    tab.open()
    numbers = [exchange.number for exchange in running.azure.journal.exchanges]
    tab.row(numbers[-1]).wait_for()
    seen = ""
    for number in numbers:
        for part in TABS:
            tab.go(f"#/{number}/{part}")
            tab.locator("#panel > *").first.wait_for()
            tab.page.wait_for_timeout(150)
            seen += tab.text("body")
            there = elements(tab)
            assert (there["script"], there["svg"]) == (1, tab.locator("svg.plot").count()), "the page's own"
            assert not {"img", "iframe", "object"} & there.keys()
    assert [one for one in (*HOSTILE[:4], *SPELLED, HOSTILE[-1]) if one not in seen] == []
    assert "\u202e" not in seen
    assert "\x1b" not in seen


@pytest.mark.long
def test_no_key_of_the_run_is_in_the_page_an_answer_or_an_export(browser: Any) -> None:
    with LocalStack() as stack, Control(subject := Subject.of(stack, [Path(CASSETTES)])):
        keys = {stack.function_key, stack.azure.api_key, stack.identity_header}
        ask = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is a proxy, in one sentence?"}]}
        with httpx.Client(base_url=stack.base_url, headers={"x-functions-key": stack.function_key}) as client:
            assert client.post("/chat/completions", json=ask).status_code == 200
            assert client.post("/chat/completions", json=ask | {"user": stack.function_key}).status_code == 424
            client.get("/models", params={"code": stack.function_key})
        with httpx.Client(base_url=stack.azure_base, headers={"api-key": stack.azure.api_key}) as client:
            client.post(f"{CHAT}?api-key={stack.azure.api_key}", json=ask, headers={"cookie": stack.azure.api_key})
        tokens = {exchange.header("authorization") for exchange in stack.azure.journal.exchanges} - {None}
        keys |= {str(token).removeprefix("Bearer ") for token in tokens}
        assert len(keys) > 3, "the proxy's own token, too"
        secret = keys - {stack.function_key}  # which the second call has in its body, where prompts are shown
        tab = Tab(browser, stack.azure_base)
        tab.allowed += ["404", "409"]
        tab.open()
        shown = ""
        for exchange in stack.azure.journal.exchanges:
            for part in TABS:
                tab.go(f"#/{exchange.number}/{part}").locator("#panel > *").first.wait_for()
                shown += tab.page.content()
        for place in ("#/cassettes", "#/controls"):
            shown += tab.go(place).page.content()
        tab.close()
        for number in [exchange.number for exchange in stack.azure.journal.exchanges]:
            for route in (one for one in ROUTES if one.method == "GET" and "events" not in one.shown):
                path = route.shown.format(number=number, name="demo/chat", file="main.js")
                forms = ("curl", "python", "json", "cassette") if path.endswith("export") else ("",)
                for form in forms:
                    url = f"{stack.azure_base}/_emulator/{path}" + (f"?as={form}" if form else "")
                    shown += httpx.get(url).text
        assert [key for key in secret if key in shown] == []
        assert subject.azure is stack.azure


@contextmanager
def another_site(page: str) -> Iterator[str]:
    """A page at another origin of this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


ATTACK = """<!doctype html><iframe src="{base}/_emulator/"></iframe><form method="post" target="_self"></form>
<script>
const tried = [
  () => fetch("{base}/_emulator/state").then((a) => a.text()),
  () => fetch("{base}/_emulator/state", {{ mode: "no-cors" }}).then((a) => a.text()),
  () => fetch("{base}/_emulator/state", {{ method: "PATCH", body: '{{"fault":"rate_limited"}}',
                                           headers: {{ "content-type": "application/json" }} }}).then((a) => a.text()),
  () => fetch("{base}/_emulator/reset", {{ method: "POST", mode: "no-cors", body: "{{}}",
                                           headers: {{ "content-type": "text/plain" }} }}).then((a) => a.text()),
  () => fetch("{base}/_emulator/stubs", {{ method: "DELETE" }}).then((a) => a.text()),
  () => new Promise((done) => {{ const s = new EventSource("{base}/_emulator/events");
                                s.onmessage = (e) => done(e.data); s.onerror = () => done(""); }}),
  () => import("{base}/_emulator/static/main.js").then(() => "imported"),
  () => new Promise((done) => {{ const w = new WebSocket("{base}/_emulator/events".replace("http", "ws"));
                                w.onopen = () => done("open"); w.onerror = () => done(""); }}),
];
Promise.all(tried.map((one) => one().catch(() => ""))).then((read) => {{ window.read = read; }});
</script>"""


def test_a_page_of_another_site_reads_nothing_and_changes_nothing(browser: Any, running: Running) -> None:
    running.ask()
    before = running.get("state")
    with another_site(ATTACK.format(base=running.base)) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        page.wait_for_function("window.read", timeout=20_000)
        assert page.evaluate("window.read") == [""] * 8
        frame = page.frames[1]
        assert frame.url.startswith("chrome-error:"), "frame-ancestors 'none'"
        context.close()
    assert running.get("state") | {"now": None} == before | {"now": None}
