"""What the README says is so: its examples run, its tables are complete, its files exist."""

import inspect
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from openai import OpenAI

import function_app
from emulator import demo
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.stack import CASSETTES, ROOT, LocalStack
from proxy import headers
from proxy.errors import ERRORS
from proxy.fields import Fields
from proxy.settings import DEFAULT_SCOPE, MAX_BODY_BYTES, Settings
from proxy.upstream import READ_SECONDS
from tests.e2e.scenarios import readme

TEXT = readme.README.read_text(encoding="utf-8")
URL_AND_KEY = ("proxy_base_url", "function_key")


@pytest.mark.parametrize(
    ("containing", "expected"),
    [
        ("Name the planets", [readme.HELLO, readme.PLANETS, "It shows ships"]),
        ("AsyncOpenAI", ["Oslo has an island", "Rome has more than"]),
        ("background=True", [f"completed {readme.PROOFS}"]),
    ],
)
def test_a_python_example_runs_as_it_stands(
    proxy_base_url: str, function_key: str, containing: str, expected: list[str]
) -> None:
    printed = readme.run_python(containing, proxy_base_url, function_key)
    for text in expected:
        assert text in printed


def test_streamed_examples_survive_chunks_that_hold_nothing_but_a_verdict() -> None:
    """Deployments with Azure's asynchronous content filter send choices without `delta` (microsoft/autogen#6465)."""
    verdict = b'data: {"choices":[{"content_filter_results":{},"finish_reason":null,"index":0}]}\n\n'
    library = Library()
    for entry in Library.from_folders([CASSETTES / "readme", CASSETTES / "demo"]).interactions():
        frames = entry.response.body.split(b"data: [DONE]")
        library.add(replace(entry, response=replace(entry.response, body=(verdict + b"data: [DONE]").join(frames))))
    with LocalStack(library=library) as stack:
        assert readme.PLANETS in readme.run_python("Name the planets", stack.base_url, stack.function_key)
        assert "Salzburg" in "".join(demo.streamed_chat(stack.base_url, stack.function_key))


def test_the_dspy_example_runs_as_it_stands(proxy_base_url: str, function_key: str) -> None:
    pytest.importorskip("dspy")
    assert "A clockwork" in readme.run_python("import dspy", proxy_base_url, function_key)


def test_the_curl_example_runs_as_it_stands(proxy_base_url: str, function_key: str) -> None:
    answer = json.loads(readme.run_curl(proxy_base_url, function_key))
    assert answer["choices"][0]["message"]["content"] == "Hello, curl!"


@pytest.mark.parametrize(
    ("name", "statuses"), [("test_the_class_is_greeted", [200]), ("test_a_rate_limit_is_waited_out", [429, 200])]
)
def test_the_example_tests_pass(openai_client: OpenAI, aoai_emulator: Emulator, name: str, statuses: list[int]) -> None:
    (block,) = readme.blocks("python", f"def {name}")
    names: dict[str, Any] = {"pytest": pytest}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102
    for marker in getattr(names[name], "pytestmark", ()):
        aoai_emulator.fault(*marker.args)
    names[name](openai_client)
    assert [exchange.status for exchange in aoai_emulator.requests] == statuses


def test_the_environment_alone_configures_the_sdk(
    monkeypatch: pytest.MonkeyPatch, aoai_emulator: Emulator, proxy_base_url: str, function_key: str
) -> None:
    (line,) = readme.blocks("bash", "OPENAI_CUSTOM_HEADERS")
    for name, value in re.findall(r'(OPENAI_\w+)=("[^"]*"|\S+)', line):
        value = value.strip('"').replace("$PROXY_BASE_URL", proxy_base_url)
        monkeypatch.setenv(name, value.replace("$FUNCTION_HOST_KEY", function_key))
    with OpenAI() as client:
        assert [model.id for model in client.models.list()]


def test_every_error_of_the_proxy_is_in_the_table() -> None:
    listed = set(re.findall(r"^\| (\d{3}) `(\w+)`", TEXT, re.MULTILINE))
    assert {(str(status), code) for code, (status, *_) in ERRORS.items()} <= listed
    assert {code for _, code in listed} - set(ERRORS) == {"no_recorded_interaction"}


def test_every_setting_that_is_read_is_in_the_table() -> None:
    source = inspect.getsource(Settings)
    read = set(re.findall(r'"((?:AZURE|PROXY)_[A-Z_]+)"', source))
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE))
    assert read == {name for name in listed if name.startswith(("AZURE_", "PROXY_"))}


def test_every_field_of_a_record_is_in_the_table() -> None:
    table = TEXT.split("### Who used how much", 1)[1].split("\n## ", 1)[0]
    listed = {
        name for cell in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    assert listed == set(Fields.__struct_fields__)


def test_every_route_is_in_the_table() -> None:
    for methods, route in function_app.FORWARDED.values():
        named = route.replace("{response_id}", "{id}")
        assert re.search(rf"`(GET|POST|DELETE)?[^`|]*{re.escape(named)}`", TEXT), route
        assert all(f"`{method}" in TEXT for method in methods)


def test_what_is_passed_on_and_dropped_is_named() -> None:
    passed, dropped = re.findall(r"^\| (?:passed on as it is|dropped) \| .*", TEXT.lower(), re.MULTILINE)
    assert all(f"`{prefix.decode()}*`" in passed for prefix in headers.REQUEST_HEADER_PREFIXES)
    hop_by_hop = b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade"
    own = headers.RESPONSE_HEADERS_DROPPED - {*hop_by_hop.split(), b"transfer-encoding", b"set-cookie"}
    assert all(f"`{name}`" in dropped for name in [*function_app.QUERY_DROPPED, *(name.decode() for name in own)])


def test_limits_and_defaults_are_the_codes_own() -> None:
    stated = [
        rf"413 `request_too_large` \| more than {MAX_BODY_BYTES:,} bytes",
        rf"504 `upstream_timeout` \| nothing from Azure for {READ_SECONDS:.0f} seconds",
        rf"`AZURE_OPENAI_SCOPE` \| `{re.escape(DEFAULT_SCOPE)}`",
        rf"`{function_app.RESPONSES_SINCE}-preview` and later \| that dated version \| that dated version",
    ]
    for line in stated:
        assert re.search(rf"^\| {line}", TEXT, re.MULTILINE), line


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        assert (ROOT / (file or name)).exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)", (ROOT / (file or name)).read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}
            assert anchor in anchors, target


def test_the_house_is_as_drawn() -> None:
    drawing = TEXT.split("## The house", 1)[1].split("```")[1]
    folder = ""
    for line in drawing.strip().splitlines():
        for name in re.findall(r"^(?: {2})?((?:[\w.]+/? )*[\w.]+/?)(?= {2,}|$)", line)[0].split():
            folder = name if name == "emulator/" else folder if line.startswith("  ") else ""
            path = ROOT / (name if name == folder else folder + name)
            assert path.exists(), f"{path.relative_to(ROOT)} is drawn and not there"
