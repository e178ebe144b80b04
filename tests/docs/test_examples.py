"""Every example of the README and of docs/ runs as it stands there."""

import ast
import inspect
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from openai import OpenAI

from emulator import demo
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.stack import CASSETTES, LocalStack
from tests.e2e.scenarios import docs
from tests.pages import block_with, blocks, every_page, guides

PROGRAMS = {  # a text in the program: what it prints
    "Name the planets": [docs.HELLO, docs.PLANETS],
    "AsyncOpenAI": ["Oslo has an island", "Rome has more than"],
    "background=True": [f"completed {docs.PROOFS}"],
    "import dspy": ["A clockwork"],
}
TESTS = {  # an example test: the statuses that the fake Azure gives
    "test_the_class_is_greeted": [200],
    "test_a_rate_limit_is_waited_out": [429, 200],
    "test_it_names_the_city": [200],
    "test_any_question_is_answered": [200],
}
ELSEWHERE = {  # a text in an example: what runs it
    "lighthouse for": "test_ways_in.py",
    "def test_limerick": "tests/recording/test_with_pytest.py",
    'tool_result="12"': "tests/synthetic/test_stubs.py",
    "def test_a_rate_limit_comes_once": "tests/page/test_documented.py",
    "def limerick": "nothing: it is a piece of a module",
}


@pytest.mark.parametrize("containing", PROGRAMS)
def test_a_program_runs_as_it_stands(proxy_base_url: str, function_key: str, containing: str) -> None:
    if containing == "import dspy":
        pytest.importorskip("dspy")
    printed = docs.run_python(containing, proxy_base_url, function_key)
    for text in PROGRAMS[containing]:
        assert text in printed


@pytest.mark.parametrize("name", TESTS)
def test_an_example_test_passes(openai_client: OpenAI, aoai_emulator: Emulator, name: str) -> None:
    names: dict[str, Any] = {"pytest": pytest}
    exec(compile(block_with("python", f"def {name}"), name, "exec"), names)  # noqa: S102
    asked = {"aoai_fault": aoai_emulator.fault, "aoai_improvise": aoai_emulator.improvise}
    for marker in getattr(names[name], "pytestmark", ()):
        asked[marker.name](*marker.args)
    given = {"openai_client": openai_client, "aoai_emulator": aoai_emulator}
    names[name](*(given[parameter] for parameter in inspect.signature(names[name]).parameters))
    assert [exchange.status for exchange in aoai_emulator.requests] == TESTS[name]


def test_no_example_is_left_out() -> None:
    known = [*PROGRAMS, *(f"def {name}" for name in TESTS), *ELSEWHERE]
    for page in every_page():
        for block in blocks(page, "python"):
            ast.parse(block)
            assert [text for text in known if text in block], f"{page} has an example that nothing runs:\n{block}"


def test_streamed_examples_survive_chunks_that_hold_nothing_but_a_verdict() -> None:
    """Deployments with Azure's asynchronous content filter send choices without `delta` (microsoft/autogen#6465)."""
    verdict = b'data: {"choices":[{"content_filter_results":{},"finish_reason":null,"index":0}]}\n\n'
    library = Library()
    for entry in Library.from_folders([CASSETTES / "docs", CASSETTES / "demo"]).interactions():
        frames = entry.response.body.split(b"data: [DONE]")
        library.add(replace(entry, response=replace(entry.response, body=(verdict + b"data: [DONE]").join(frames))))
    with LocalStack(library=library) as stack:
        assert docs.PLANETS in docs.run_python("Name the planets", stack.base_url, stack.function_key)
        assert "Salzburg" in "".join(demo.streamed_chat(stack.base_url, stack.function_key))


def test_the_curl_example_runs_as_it_stands(proxy_base_url: str, function_key: str) -> None:
    answer = json.loads(docs.run_curl(proxy_base_url, function_key))
    assert answer["choices"][0]["message"]["content"] == "Hello, curl!"


def test_the_environment_alone_configures_the_sdk(
    monkeypatch: pytest.MonkeyPatch, aoai_emulator: Emulator, proxy_base_url: str, function_key: str
) -> None:
    for name, value in re.findall(r'(OPENAI_\w+)=("[^"]*"|\S+)', block_with("bash", "OPENAI_CUSTOM_HEADERS")):
        value = value.strip('"').replace("$PROXY_BASE_URL", proxy_base_url)
        monkeypatch.setenv(name, value.replace("$FUNCTION_HOST_KEY", function_key))
    with OpenAI() as client:
        assert [model.id for model in client.models.list()]


@pytest.mark.parametrize(("page", "block"), [(page, block) for page in guides() for block in blocks(page, "yaml")])
def test_yaml_is_yaml(page: str, block: str) -> None:
    assert yaml.safe_load(block)
