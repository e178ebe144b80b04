"""One fake Azure with its control API, which all tests of this folder share. Each test begins with a reset."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.bundle import CASSETTES
from emulator.match.library import Library
from emulator.page import static
from emulator.page.control import Control
from emulator.page.subject import Subject
from emulator.server import bind, serving
from emulator.tape.interaction import Interaction
from tests.page.browser import Tab, chromium
from tests.support import recording

CHAT = "/openai/v1/chat/completions"
PLAIN = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Name the planets."}]}'
STREAM = b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Tell me a story."}]}'
FRAMES = [
    *(
        b'data: {"choices":[{"index":0,"delta":{"content":"%s "}}]}\n\n' % word
        for word in (b"Once", b"upon", b"a time")
    ),
    b"data: [DONE]\n\n",
]
ANSWER = json.dumps(
    {
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Mercury …"}}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10},
    }
).encode()


class Running:
    """`api` calls the control API, `ask` the fake Azure."""

    def __init__(self, subject: Subject, base: str) -> None:
        self.subject, self.azure, self.base = subject, subject.azure, base
        self.client = httpx.Client(base_url=base, trust_env=False, timeout=30)

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Of a feed, its beginning."""
        request = self.client.build_request(method, f"/_emulator/{path}", **options)
        answer = self.client.send(request, stream=True)
        if answer.headers.get("content-type") != "text/event-stream":
            answer.read()
            return answer
        beginning = next(answer.iter_raw())
        answer.close()
        return httpx.Response(answer.status_code, headers=answer.headers, content=beginning)

    def get(self, path: str) -> Any:
        answer = self.api("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, **state: Any) -> httpx.Response:
        return self.api("PATCH", "state", json=state)

    def ask(self, body: bytes = PLAIN, **headers: str) -> httpx.Response:
        return self.client.post(CHAT, content=body, headers={"api-key": self.azure.api_key} | headers)


def recordings() -> list[Interaction]:
    plain, stream = recording(PLAIN, ANSWER), recording(STREAM, b"".join(FRAMES), sse=True)
    timed = replace(stream, response=replace(stream.response, frame_at_ms=(10.0, 20.0, 30.0, 40.0)))
    return [replace(plain, label="made/planets #1"), replace(timed, label="made/story #1")]


@pytest.fixture(scope="session")
def started() -> Iterator[Running]:
    azure = FakeAzure(Library(recordings()))
    with serving(azure, bind(0)) as base, Control(subject := Subject(azure, [Path(CASSETTES)], azure_base=base)):
        running = Running(subject, base)
        with running.client:
            yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A page of their own for tests that need none of the real one."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "index.html").write_text("<!doctype html><title>Emulator</title>")
    (folder / "main.js").write_text("export const answer = 42;")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(static, "FOLDER", folder)
        yield folder


@pytest.fixture
def running(started: Running) -> Running:
    started.azure.library = Library(recordings())
    started.azure.reset()
    started.azure.after.clear()
    started.azure.deployments = frozenset(started.azure.library.deployments())
    started.azure.time_scale = 0.0
    return started


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def tab(browser: Any, running: Running) -> Iterator[Tab]:
    """The page in a tab, not yet opened."""
    tab = Tab(browser, running.base)
    yield tab
    tab.close()
