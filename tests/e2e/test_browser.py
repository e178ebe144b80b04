"""The page of docs/browsers.md, in Chromium: a site that is let in streams an answer and reads the headers, and another
site can do neither."""

import json
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import LocalStack
from emulator.synthetic.improvising import Improviser
from proxy.headers import READABLE
from tests.keys.signing import SECRET, key_text
from tests.pages import blocks

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PATIENCE_SECONDS = 60.0  # a busy machine starts a browser slowly
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")

# What somebody does on the page of the docs, and what else a page of this site can do. `tell` ends the test.
SCRIPT = """
<script type="module">
  const tell = (told) => fetch("/told", { method: "POST", body: JSON.stringify({ origin: location.origin, ...told }) });
  const [form, key, answer] = ["form", "key", "answer"].map((id) => document.getElementById(id));
  const ask = async (given) => {
    key.value = given;
    form.requestSubmit();
    for (let before = ""; !answer.textContent || answer.textContent !== before; ) {
      before = answer.textContent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return answer.textContent;
  };
  const raw = async (path, headers) => {
    const response = await fetch(URLS.base + path, { headers });
    return { status: response.status, headers: [...response.headers.keys()] };
  };
  try {
    await tell({
      good: await ask(URLS.key),
      bad: await ask("sk-wrong"),
      models: await raw("/api/keys/v1/models", { authorization: `Bearer ${URLS.key}` }),
      by_function_key: await raw("/api/v1/models", { "x-functions-key": URLS.function_key }),
      by_wrong_key: await raw("/api/v1/models", { "x-functions-key": "wrong" }),
    });
  } catch (error) {
    await tell({ error: error.name });
  }
</script>
"""
OTHER = """
<script type="module">
  const told = { origin: location.origin };
  for (const path of ["/api/keys/v1/models", "/api/v1/models", "/api/health"]) {
    try { told[path] = (await fetch(URLS.base + path, { headers: { "x-functions-key": URLS.function_key } })).status; }
    catch (error) { told[path] = error.name; }
  }
  await fetch("/told", { method: "POST", body: JSON.stringify(told) });
</script>
"""


class Site(ThreadingHTTPServer):
    """Serves pages, and collects what they tell. 127.0.0.1 and localhost are two origins of it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.pages: dict[str, str] = {}
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def other_origin(self) -> str:
        return f"http://localhost:{self.server_port}"


class Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path, "").encode()
        self.send_response(200 if page else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def do_POST(self) -> None:
        self.server.told.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as serving:
        threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture(scope="module")
def told(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the pages of each origin told, in one browser."""
    settings = {
        "CORS_ALLOWED_ORIGINS": json.dumps([site.origin]),
        "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
        "PROXY_SIGNING_KEY": SECRET,
        "PROXY_HEALTH": "true",
    }
    with LocalStack((), settings=settings) as stack:
        stack.azure.after.append(Improviser())
        stack.azure.deployments = frozenset()
        base = stack.base_url.removesuffix("/api/v1")
        known = {"base": base, "key": key_text("Ada", tokens_a_day=100_000), "function_key": stack.function_key}
        urls = f"<script>const URLS = {json.dumps(known)};</script>"
        frame = f'<iframe src="{site.other_origin}/other"></iframe>'
        site.pages["/"] = urls + page_of_the_docs(f"{base}/api/keys/v1") + frame + SCRIPT
        site.pages["/other"] = urls + OTHER
        with browser(f"{site.origin}/", tmp_path_factory.mktemp("browser")):
            found = [site.told.get(timeout=PATIENCE_SECONDS) for _ in ("the site", "the other")]
    return {page["origin"]: page for page in found}


def page_of_the_docs(base_url: str) -> str:
    (page,) = blocks("docs/browsers.md", "html")
    (address,) = re.findall(r'BASE_URL = "([^"]*)"', page)
    return page.replace(address, base_url)


@contextmanager
def browser(url: str, folder: Path) -> Iterator[None]:
    """Chromium with this page, in a folder of its own."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command = [str(CHROMIUM), *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_the_page_of_the_docs_streams_an_answer(told: dict[str, dict[str, Any]], site: Site) -> None:
    page = told[site.origin]
    assert "error" not in page
    assert len(page["good"]) > 20


def test_a_page_reads_why_it_was_refused(told: dict[str, dict[str, Any]], site: Site) -> None:
    assert told[site.origin]["bad"].startswith("This proxy does not know your key.")
    assert told[site.origin]["by_wrong_key"]["status"] == 401


@pytest.mark.parametrize("door", ["models", "by_function_key"])
def test_a_page_reads_the_headers_that_it_may(told: dict[str, dict[str, Any]], site: Site, door: str) -> None:
    found = told[site.origin][door]
    assert found["status"] == 200
    assert {"x-request-id", "server-timing"} <= set(found["headers"]) <= {*READABLE, "content-type", "content-length"}


def test_a_page_of_another_site_reads_nothing(told: dict[str, dict[str, Any]], site: Site) -> None:
    page = told[site.other_origin]
    assert {page[path] for path in page if path != "origin"} == {"TypeError"}
