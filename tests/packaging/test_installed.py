"""The wheel works in an environment without this repository, and in another project's tests."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.packaging.elsewhere import ASKED, TEST, Project, one_recording, one_stream

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]  # the tests make environments
PLUGIN = "azure_openai_emulator.pytest_plugin"
ASYNC_TEST = f"""
async def test_it(async_openai_client):
    async for chunk in await async_openai_client.chat.completions.create(**{ASKED!r}, stream=True):
        break  # leaves the rest of the stream
    answer = await async_openai_client.chat.completions.create(**{ASKED!r})
    assert answer.choices[0].message.content == "Yes."
"""
BACKEND = "import pytest\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
WITHOUT_ASYNCIO = ("-p", "no:asyncio", "-W", "error")
WITH_ASYNCIO = ("-o", "asyncio_default_fixture_loop_scope=function", "-W", "error")


def names_in(python: str) -> set[str]:
    code = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()))"
    return set(Project(Path(python).parent, python).run("-c", code)[1].split())


def command(project: Project) -> str:
    return str(Path(project.python).with_name("azure-openai-emulator"))


def ask(described: dict[str, str]) -> httpx.Response:
    headers = {"x-functions-key": described["function_key"]}
    return httpx.post(f"{described['base_url']}/chat/completions", headers=headers, json=ASKED)


# --- the wheel alone --------------------------------------------------------------------------------------------------


def test_no_sdk_no_linter_and_no_test_runner_come_with_it(bare: str) -> None:
    assert not names_in(bare) & {"openai", "dspy", "litellm", "ruff", "mypy", "pytest", "vcrpy", "rich"}


def test_the_chain_runs_with_the_wheel_alone(bare: str, tmp_path: Path) -> None:
    project = Project(tmp_path, bare)
    with project.started(command(project), "serve", "--port", "0") as (described, _):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
        headers = {"x-functions-key": described["function_key"]}
        answer = httpx.post(f"{described['base_url']}/chat/completions", headers=headers, json=body)
        assert "Paris" in answer.text
        assert "proxy;dur" in answer.headers["server-timing"]
        (folder,) = described["cassettes"]
        assert Path(folder).is_relative_to(Path(bare).parents[1])


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (("check",), "pip install 'azure-openai-emulator[check]'"),
        (("record", "--verify"), "pip install 'azure-openai-emulator[record]'"),
        (("demo",), "pip install openai dspy"),
    ],
    ids=["check", "record", "demo"],
)
def test_what_is_missing_is_named_in_one_line(verb: tuple[str, ...], said: str, bare: str, tmp_path: Path) -> None:
    status, told = Project(tmp_path, bare).run("-m", "azure_openai_emulator", *verb)
    assert status == 2
    assert said in told
    assert len(told.splitlines()) == 1


# --- another project's tests ------------------------------------------------------------------------------------------


def test_one_cassette_and_one_test_are_all(project: Project) -> None:
    project.record()
    project.write("tests/test_hello.py", TEST)
    assert project.pytest(*WITHOUT_ASYNCIO)[0] == 0
    assert project.pytest("-p", f"no:{PLUGIN}")[0] == 1, "it was the plugin's fixture"


def test_a_plugin_that_a_conftest_names_too_is_loaded_once(project: Project) -> None:
    project.record()
    project.write("conftest.py", f"pytest_plugins = [{PLUGIN!r}]\n")
    project.write("tests/test_hello.py", TEST)
    status, told = project.pytest()
    assert status == 0, told


def test_a_test_is_recorded_against_a_live_service_and_then_plays_offline(project: Project, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    live = Project(tmp_path / "live", project.python)
    live.record("cassettes/x.yaml")
    project.write("tests/test_hello.py", TEST)
    assert project.pytest()[0] == 1
    with live.started(command(live), "azure") as (described, _):
        settings = {"AZURE_OPENAI_BASE": described["azure_base"], "AZURE_OPENAI_API_KEY": described["api_key"]}
        status, told = project.pytest("--record-mode=once", AZURE_OPENAI_DEPLOYMENT="gpt-4o-mini", **settings)
        assert status == 0, told
    assert f"{command(project).rpartition('/')[2]} show NAME" in told
    assert len([name for name in project.cassettes if name.startswith("tests/cassettes/")]) == 1
    status, told = project.pytest("--record-mode=once", CI="true")
    assert status == 0, told


@pytest.mark.parametrize("first", [PLUGIN, "recording"])
def test_pytest_recording_beside_it_works_in_both_orders(first: str, project: Project) -> None:
    project.record()
    project.write("tests/test_hello.py", TEST)
    status, told = project.pytest("-p", first, "--record-mode=none", "--strict-markers", *WITHOUT_ASYNCIO)
    assert status == 0, told


@pytest.mark.parametrize(
    ("mark", "options"),
    [
        ("anyio", WITHOUT_ASYNCIO),
        ("anyio", ("--asyncio-mode=strict", *WITH_ASYNCIO)),
        ("asyncio", ("--asyncio-mode=strict", *WITH_ASYNCIO)),
        ("", ("--asyncio-mode=auto", *WITH_ASYNCIO)),
    ],
    ids=["anyio alone", "anyio beside pytest-asyncio", "pytest-asyncio, strict", "pytest-asyncio, auto"],
)
def test_the_asynchronous_client_works_in_every_plugins_tests(
    mark: str, options: tuple[str, ...], project: Project
) -> None:
    project.record("tests/cassettes/hello.yaml", one_recording(), one_stream())
    marked = f"import pytest\npytestmark = pytest.mark.{mark}\n" if mark else ""
    project.write("tests/conftest.py", BACKEND)
    project.write("tests/test_async.py", marked + ASYNC_TEST)
    status, told = project.pytest(*options)
    assert status == 0, told
    assert "1 passed" in told


# --- every verb -------------------------------------------------------------------------------------------------------


def test_serve_and_azure_play_the_projects_own_cassettes_and_doctor_finds_them_well(project: Project) -> None:
    project.record()
    with project.started(command(project), "serve", "--port", "0") as (described, _):
        assert described["cassettes"] == ["tests/cassettes"]
        assert ask(described).json()["choices"][0]["message"]["content"] == "Yes."
        status, told = project.run(
            *("-m", "azure_openai_emulator", "doctor", "--no-calls", "--json"),
            PROXY_BASE_URL=described["base_url"],
            FUNCTION_HOST_KEY=described["function_key"],
        )
        assert (status, json.loads(told)["problems"]) == (0, 0), told


def test_host_serves_the_proxy_in_front_of_what_the_settings_name(project: Project) -> None:
    project.record()
    with project.started(command(project), "azure") as (azure, _):
        settings = {
            "AZURE_OPENAI_BASE": azure["azure_base"],
            "AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini",
            "IDENTITY_ENDPOINT": azure["identity_endpoint"],
            "IDENTITY_HEADER": azure["identity_header"],
        }
        with project.started(command(project), "host", "--port", "0", **settings) as (host, _):
            assert ask(host).status_code == 200


def test_doctor_explains_by_the_page_that_came_with_it(project: Project) -> None:
    with project.started(command(project), "serve", "--port", "0") as (described, _):
        status, told = project.run(
            *("-m", "azure_openai_emulator", "doctor", "--no-calls", "--key", "wrong"),
            PROXY_BASE_URL=described["base_url"],
        )
    assert status == 1
    assert "the function key is missing or wrong" in " ".join(told.split())


def test_record_makes_a_cassette_that_show_shows_and_check_checks(project: Project, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    live = Project(tmp_path / "live", project.python)
    live.record("cassettes/x.yaml")
    with live.started(command(live), "azure") as (azure, _):
        settings = {"AZURE_OPENAI_BASE": azure["azure_base"], "AZURE_OPENAI_API_KEY": azure["api_key"]}
        settings |= {"AZURE_OPENAI_DEPLOYMENT": "gpt-4o-mini"}
        arguments = ("record", "--port", "0", "--cassette", "hello")
        with project.started(command(project), *arguments, **settings) as (described, process):
            assert ask(described).status_code == 200
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        status, told = project.run("-m", "azure_openai_emulator", "record", "--verify", **settings)
        assert status == 0, told
    assert "cassettes/hello.yaml" in project.cassettes
    status, told = project.run("-m", "azure_openai_emulator", "show", "hello")
    assert status == 0, told
    assert "Is anybody there?" in told
    status, told = project.run("-m", "azure_openai_emulator", "check")
    assert status == 0, told
    assert told.splitlines()[-1].startswith("1 recording in 1 file")


def test_azure_writes_the_settings_for_func_start_into_the_current_folder(project: Project) -> None:
    with project.started(command(project), "azure", "--settings") as (described, _):
        values = json.loads((project.folder / "local.settings.json").read_text())["Values"]
        assert values["AZURE_OPENAI_BASE"] == described["azure_base"]
