"""In another project, an unused stub fails its test, and no stub reaches the next test."""

from pathlib import Path
from typing import Any

import pytest

from emulator.recording.stack import Wish
from emulator.stack import CASSETTES
from emulator.synthetic.stubs import Stub, Stubs
from emulator.synthetic.stubs.condition import Condition
from tests.packaging.elsewhere import Project
from tests.recording.conftest import Live, client_of

TESTS = """
import httpx, pytest

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "How is the weather?"}]}

@pytest.fixture
def ask(proxy_base_url, function_key):
    def ask():
        url, headers = f"{proxy_base_url}/chat/completions", {"x-functions-key": function_key}
        answer = httpx.post(url, json=ASKED, headers=headers).raise_for_status()
        return answer.json()["choices"][0]["message"]["content"]
    return ask

def test_used(ask, aoai_emulator):
    aoai_emulator.on(contains="weather").answers("It rains.")
    assert ask() == "It rains."

def test_the_next_has_none(ask, aoai_emulator):
    with pytest.raises(httpx.HTTPStatusError, match="424"):
        ask()

def test_unused(ask, aoai_emulator):
    aoai_emulator.on(contains="weather").answers("It rains.")
    aoai_emulator.on(contains="snow").answers("It snows.")
    aoai_emulator.on(contains="hail", optional=True).answers("It hails.")
    ask()

def test_failed_already(aoai_emulator):
    aoai_emulator.on(contains="frost").answers("It freezes.")
    assert False, "as it should"

def test_skipped(aoai_emulator):
    aoai_emulator.on(contains="frost").answers("It freezes.")
    pytest.skip("as it should")

def test_the_stack_is_shared(aoai_emulator_server, ask, aoai_emulator):
    aoai_emulator.on(contains="weather").answers("It thaws.")
    assert ask() == "It thaws."
    assert aoai_emulator_server.azure is aoai_emulator.azure
"""


@pytest.mark.parametrize("more", [(), pytest.param(("-p", "xdist", "-n", "2"), marks=pytest.mark.long)])
def test_a_test_fails_for_what_it_declared_and_did_not_use(more: tuple[str, ...], tmp_path: Path) -> None:
    project = Project.of_the_checkout(tmp_path)
    project.write("tests/test_weather.py", TESTS)
    status, told = project.pytest("--tb=short", "-rs", *more, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert status == 1
    assert "1 failed, 4 passed, 1 skipped, 2 errors" in told
    assert 'on(contains="snow").answers("It snows.") answered never, not once' in told
    assert "No recording matches POST chat/completions" in told, "a request without a stub"
    assert "hail" not in told.replace('aoai_emulator.on(contains="hail"', "")
    assert "answered never" not in told.replace('on(contains="snow").answers("It snows.") answered never', "")


def test_while_recording_a_stub_answers_and_is_not_recorded(tmp_path: Path) -> None:
    stubs = Stubs()
    stubs.declared.append(Stub(Condition(contains="capital")).answers("Lyon."))
    asked: Any = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
    with Live.started([CASSETTES / "chat"]) as live:
        stack = live.stack(tmp_path, Wish("all"), tmp_path / "run")
        with stubs.answering(stack.azure), client_of(stack) as client:
            stack.begin("capital")
            texts = [client.chat.completions.create(**asked).choices[0].message.content for _ in range(2)]
            assert texts[0] == "Lyon."
            assert texts[1].startswith("The capital")
            assert stack.finish() == 1
        assert len(live.azure.journal.exchanges) == 1
