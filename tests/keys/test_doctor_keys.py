"""The doctor accepts a signed key like a function key, and tries every key of a class."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import cli
from emulator.stack import CASSETTES, LocalStack
from proxy.roster.command import main
from tests.keys.signing import OLDER, SECRET, TODAY, key_text

Capsys = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalStack]:
    settings = {"PROXY_SIGNING_KEY": SECRET, "PROXY_REVOKED_KEYS": "Eve"}
    with LocalStack([CASSETTES / "doctor"], settings=settings, time_scale=1) as stack:
        yield stack


@pytest.fixture
def base_url(running: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.chdir(tmp_path)  # a folder without .env
    running.azure.reset()
    return running.base_url.removesuffix("/v1") + "/keys/v1"


def examined(capsys: Capsys, *arguments: str) -> tuple[int, str]:
    status = cli.main(["doctor", *arguments])
    said = capsys.readouterr()
    assert "sk-" not in said.out, "no key is shown"
    assert said.err == ""
    return status, said.out


def test_a_proxy_is_well_by_a_signed_key(base_url: str, capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", base_url, "--key", key_text())
    assert status == 0, text
    assert "no problems" in text


def test_the_env_of_a_person_is_enough(base_url: str, capsys: Capsys) -> None:
    Path(".env").write_text(f"OPENAI_BASE_URL={base_url}\nOPENAI_API_KEY={key_text()}\n")
    assert examined(capsys, "--no-calls")[0] == 0


def test_a_key_of_openai_is_sent_to_nobody_else(base_url: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may hold the user's own OpenAI key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-somebodys")
    monkeypatch.setenv("PROXY_BASE_URL", base_url.replace("/keys", ""))
    assert cli.main(["doctor"]) == 2
    assert "Doctor needs the key: --key, or FUNCTION_HOST_KEY in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (key_text(ends=TODAY.replace(year=2020)), "401 api_key_ended"),
        (key_text("Eve"), "401 api_key_revoked"),
        (key_text(secret=OLDER), "401 invalid_api_key"),
    ],
)
def test_a_key_that_is_refused_is_explained(base_url: str, capsys: Capsys, key: str, said: str) -> None:
    status, text = examined(capsys, "--base-url", base_url, "--key", key)
    assert status == 1
    assert said in text
    assert "upstream" not in text


def test_a_signed_key_belongs_to_the_other_base_url(base_url: str, capsys: Capsys) -> None:
    status, text = examined(capsys, "--base-url", base_url.replace("/keys", ""), "--key", key_text())
    assert status == 1
    assert "not '/api/keys/v1'" in text


def test_every_key_of_a_class_is_tried(base_url: str, running: LocalStack, capsys: Capsys) -> None:
    Path("class.csv").write_text("name\nAda\nEve\nBob\n")
    environ = {"PROXY_SIGNING_KEY": SECRET, "PROXY_REVOKED_KEYS": "Eve", "PROXY_BASE_URL": base_url}
    assert main(["make", "--roster", "class.csv", "--out", "out", "--ends", "never"], environ, lambda said: None) == 0
    status, text = examined(capsys, "--base-url", base_url, "--roster", "out/keys.csv", "--json")
    checks = {check["name"]: check["result"] for check in json.loads(text)["checks"]}
    tried = {"Ada": "ok", "Eve": "problem", "Bob": "ok"}
    assert checks == {"address": "ok", "dns": "ok", "connection": "ok", **tried}
    assert status == 1
    assert running.azure.journal.exchanges == [], "it costs no tokens"


def test_a_class_behind_a_wrong_address_is_told_once(base_url: str, capsys: Capsys) -> None:
    Path("keys.csv").write_text(f"name,id,key\nAda,1,{key_text()}\nBob,2,{key_text('Bob')}\n")
    status, text = examined(capsys, "--base-url", base_url.replace("/keys", ""), "--roster", "keys.csv")
    assert status == 1
    assert text.count("problem ") == 1


@pytest.mark.parametrize(
    "text", [None, "", "name,id,key\n", "name,id,key\nAda,1\n", "name\nAda\n", "name,id,key\nA,1,x\n"]
)
def test_a_roster_that_is_not_whole_is_refused(base_url: str, capsys: Capsys, text: str | None) -> None:
    if text is not None:
        Path("keys.csv").write_text(text)
    assert cli.main(["doctor", "--base-url", base_url, "--roster", "keys.csv"]) == 2
    assert "keys.csv " in capsys.readouterr().err
