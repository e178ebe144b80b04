"""The page on the command line: who has one, where it is, and what a miss says of it."""

import re
import webbrowser
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import cli, demo
from emulator.azure import FakeAzure
from emulator.bundle import CASSETTES
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.page import command
from emulator.stack import LocalStack
from tests.page.conftest import CHAT
from tests.page.test_command import started

QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Nobody asked this before."}]}


def miss(served: dict[str, Any]) -> str:
    answer = httpx.post(
        f"{served['base_url']}/chat/completions", json=QUESTION, headers={"x-functions-key": served["function_key"]}
    )
    assert answer.status_code == 424
    return str(answer.json()["error"]["message"])


def test_a_miss_ends_with_the_link_to_where_it_can_be_looked_at() -> None:
    with started("serve", "--port", "0", "--page-port", "0") as (served, _):
        assert served["page"] == served["control_url"]
        link = miss(served).splitlines()[-1]
        assert re.fullmatch(rf"Look at it: {re.escape(served['page'])}#/\d+/miss", link)
        number = link.rpartition("#/")[2].partition("/")[0]
        assert httpx.get(f"{served['page']}calls/{number}").json()["status"] == 424
        stub = {"when": {"contains": "weather"}, "then": {"answers": "It rains."}}
        httpx.post(f"{served['page']}stubs", json=stub).raise_for_status()
        *_, remark, link = miss(served).splitlines()
        assert "weather" in remark
        assert link.startswith("Look at it: ")


def test_where_there_is_no_page_a_miss_names_none() -> None:
    with started("serve", "--port", "0", "--page-port", "0", "--no-page") as (served, _):
        assert "page" not in served
        assert "Look at it" not in miss(served)
        assert httpx.get(served["control_url"]).status_code == 404
        assert httpx.get(f"{served['control_url']}state").status_code == 200


def test_a_test_of_pytest_is_told_of_no_page(aoai_emulator: Emulator) -> None:
    assert not aoai_emulator.azure.remarks or "Look at it" not in str(aoai_emulator.azure.remarks)


def test_the_fake_azure_alone_has_one_too() -> None:
    with started("azure") as (azure, _):
        assert azure["page"] == f"{azure['azure_base']}/_emulator/"
        answer = httpx.post(azure["azure_base"] + CHAT, json=QUESTION, headers={"api-key": azure["api_key"]})
        assert f"Look at it: {azure['page']}#/1/miss" in answer.json()["error"]["message"]


def test_beyond_loopback_the_address_has_the_token_where_no_browser_sends_it() -> None:
    with started("serve", "--port", "0", "--host", "0.0.0.0", "--page-host", "emulator", "--page-port", "0") as (  # noqa: S104
        served,
        _,
    ):
        assert served["page"] == f"{served['control_url']}#token={served['control_token']}"
        assert served["control_token"] not in miss(served)


def test_it_is_opened_where_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    command.open_page({"page": "http://127.0.0.1:7072/_emulator/"})
    command.open_page({"control_url": "http://127.0.0.1:7072/_emulator/"})
    assert opened == ["http://127.0.0.1:7072/_emulator/"]
    assert cli.parser().parse_args(["serve", "--open"]).open


def test_what_is_recorded_is_on_a_page_only_where_somebody_wants_that(tmp_path: Path) -> None:
    assert not cli.parser().parse_args(["record"]).page
    assert cli.parser().parse_args(["record", "--page"]).page
    azure = FakeAzure(Library())
    stack = LocalStack(azure=azure)
    stack.azure_base = "http://127.0.0.1:1"
    for is_page in (True, False):
        with command.inside(stack, [tmp_path], is_page) as told:
            assert ("page" in told) == is_page
            assert bool(azure.remarks) == is_page
    assert not azure.remarks


def test_the_demo_names_it_in_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "STEPS", ())
    monkeypatch.setattr(demo, "load_clients", lambda: None)
    for is_watched in (True, False):
        assert demo.run(True, beside=lambda stack, is_page=is_watched: command.inside(stack, [CASSETTES], is_page)) == 0
        assert ("Watch it: http://127.0.0.1:" in capsys.readouterr().out) == is_watched
