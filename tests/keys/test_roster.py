"""`python -m proxy.keys` writes files that only their owner can read, and says what to do when it fails."""

import csv
import datetime
import json
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dotenv import dotenv_values

from emulator.stack import ROOT
from proxy.keys import Keyring
from proxy.roster import deployment
from proxy.roster.command import main
from proxy.roster.deployment import find
from proxy.roster.person import Mistake, key_of
from proxy.roster.sheet import keys_of
from tests.golden import assert_golden
from tests.keys.signing import OLDER, SECRET, key_text

BASE = "https://x.azurewebsites.net/api/keys/v1"
TODAY, LATER = datetime.date(2027, 1, 31), "2027-02-28"
ENVIRON = {"PROXY_SIGNING_KEY": f"{SECRET},{OLDER}", "PROXY_REVOKED_KEYS": "Eve", "PROXY_BASE_URL": BASE}
CLASS = "Name;Ends;Tokens a day;Models\nAda Lovelace;;;\nJosé;2027-03-01;5000;gpt-5,gpt-5-mini\n"


def told(*arguments: str, environ: Mapping[str, str] = ENVIRON) -> tuple[int, str]:
    said = list[str]()
    return main(arguments, environ, said.append), "\n".join(said)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str, environ: Mapping[str, str] = ENVIRON) -> str:
    assert told(*arguments, environ=environ)[0] == 1
    return capsys.readouterr().err


def test_a_made_key_says_what_was_asked_for_and_the_first_signing_key_signed_it() -> None:
    limits = ("--tokens-a-day", "200000", "--requests-a-day", "9", "--tokens-a-minute", "7", "--requests-a-minute", "3")
    _, text = told("make", "--name", " Ada ", "--ends", "9999-12-31", "--models", "gpt-5, gpt-5-mini", *limits)
    key = Keyring((SECRET,)).read(text.encode())
    assert (key.name, key.ends, key.models) == ("Ada", datetime.date.max, ("gpt-5", "gpt-5-mini"))
    assert (key.tokens_a_day, key.requests_a_day, key.tokens_a_minute, key.requests_a_minute) == (200_000, 9, 7, 3)
    assert told("make", "--name", "Ada", "--ends", "never")[1] != told("make", "--name", "Ada", "--ends", "never")[1]


def test_a_key_is_printed_alone_and_the_command_runs_by_itself() -> None:
    command = [sys.executable, "-m", "proxy.keys", "make", "--name", "Ada", "--ends", "never"]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRON, capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert Keyring((SECRET,)).read(line.encode()).name == "Ada"
    assert done.stderr == ""


@pytest.fixture
def handed_out(tmp_path: Path) -> Path:
    sheet, out = tmp_path / "class.csv", tmp_path / "out"
    sheet.write_text(CLASS, encoding="utf-8-sig")  # Excel writes this encoding
    status, said = told("make", "--roster", str(sheet), "--out", str(out), "--ends", LATER)
    assert status == 0
    assert f"--base-url {BASE} --roster {out / 'keys.csv'}" in said
    return out


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "keys.csv").read_text(encoding="utf-8").splitlines()))


def test_each_person_of_a_class_gets_an_env_and_a_page_that_nobody_else_can_read(handed_out: Path) -> None:
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in handed_out.iterdir()}
    assert files == dict.fromkeys(("ada-lovelace.env", "ada-lovelace.html", "jose.env", "jose.html", "keys.csv"), 0o600)
    assert stat.S_IMODE(handed_out.stat().st_mode) == 0o700
    for row in rows(handed_out):
        key = Keyring((SECRET,)).read(row["key"].encode())
        assert (key.name, key.id) == (row["name"], row["id"])
        stem = {"Ada Lovelace": "ada-lovelace", "José": "jose"}[row["name"]]
        assert dotenv_values(handed_out / f"{stem}.env") == {"OPENAI_BASE_URL": BASE, "OPENAI_API_KEY": row["key"]}
        page = (handed_out / f"{stem}.html").read_text(encoding="utf-8")
        assert page.count(row["key"]) == 3
        assert row["name"] in page
        assert ("5,000" in page) == (row["name"] == "José")


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = list[str]()

    def handle_starttag(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attributes if name in ("src", "href", "action")]


def test_a_page_loads_nothing_from_elsewhere_and_has_no_signing_key_in_it(handed_out: Path) -> None:
    for path in handed_out.iterdir():
        text, links = path.read_text(encoding="utf-8"), Links()
        links.feed(text)
        assert links.found == []
        assert SECRET not in text
        assert OLDER not in text


def test_a_page_without_its_qr_code_is_as_shown(handed_out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from proxy.keys import Key
    from proxy.roster import handout

    monkeypatch.setattr(handout, "picture", lambda text: "")
    key = Key("0123abcd", "Ada <Lovelace> & Co", TODAY, ("gpt-5",), tokens_a_day=5_000)
    assert_golden("key_page.html", handout.page(BASE, key, "sk-made.up"))


def test_a_qr_code_is_of_the_key(handed_out: Path) -> None:
    segno = pytest.importorskip("segno")
    code = segno.make(rows(handed_out)[0]["key"], error="l").svg_inline(scale=3, border=4)
    assert code in (handed_out / "ada-lovelace.html").read_text(encoding="utf-8")


def test_names_that_look_alike_get_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_text("name\nÉva\nEva\nE va\nE.va\n李\nx/../../y\n", encoding="utf-8")
    told("make", "--roster", str(tmp_path / "class.csv"), "--out", str(tmp_path / "out"), "--ends", "never")
    assert sorted(path.name for path in (tmp_path / "out").glob("*.env")) == [
        *("e-va-2.env", "e-va.env", "eva-2.env", "eva.env", "person.env", "x-y.env")
    ]


def test_a_folder_that_has_something_in_it_is_left_alone(handed_out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in handed_out.iterdir()}
    sheet = str(handed_out.parent / "class.csv")
    assert "choose a new folder" in failed(capsys, "make", "--roster", sheet, "--out", str(handed_out), "--ends", LATER)
    assert {path.name: path.read_bytes() for path in handed_out.iterdir()} == before


MISTAKES = {  # a sheet: words in the error
    "": "has no column name",
    "Ada\nBob\n": "has no column name",
    "name,email\nAda,a@b\n": "has 'email'",
    "name,token_a_day\nAda,5\n": "has 'token_a_day'",
    "name\n": "names nobody",
    "name\nAda\n\nada\n": "has 'Ada' twice",
    "name,models\nAda,gpt-5,gpt-5-mini\n": "line 2: more cells than columns",
    'name\n"Ada\n': "line 2",
    "name,ends\nAda,28.2.2027\n": "line 2: `ends` says when a key ends",
    "name,ends\nAda,2027-01-30\n": "line 2: 2027-01-30 is over",
    "name,tokens_a_day\nAda,1.000\n": "tokens_a_day is a whole number",
    "name,tokens_a_day\nAda,-5\n": "tokens_a_day is a whole number",
    'name\n"Lovelace, Ada"\n': "A name begins",
    "name\n=1+1\n": "A name begins",
    "name\nA\x1bda\n": "A name begins",
    f"name\n{'a' * 65}\n": "A name begins",
    f"name,models\nAda,{'m' * 1_001}\n": "models of a key",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_sheet_is_named_and_no_key_is_made(tmp_path: Path, text: str) -> None:
    sheet = tmp_path / "class.csv"
    sheet.write_text(text, encoding="utf-8")
    with pytest.raises(Mistake) as mistake:
        keys_of(sheet, {"ends": LATER}, TODAY)
    assert MISTAKES[text] in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_a_sheet_in_another_encoding_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("name\nJosé\n".encode("latin-1"))
    for name, said in (("latin.csv", "CSV UTF-8"), ("none.csv", "cannot be read")):
        with pytest.raises(Mistake, match=said):
            keys_of(tmp_path / name, {"ends": LATER}, TODAY)


def test_a_key_without_an_end_must_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "or never" in failed(capsys, "make", "--name", "Ada")
    assert key_of({"name": "Ada", "ends": "never"}, TODAY).ends is None


def test_show_tells_what_a_key_says_and_whether_it_is_good() -> None:
    status, text = told("show", key_text("Ada", models=("gpt-5",), tokens_a_day=5_000))
    assert status == 0
    assert all(word in text for word in ("Ada", "id-Ada", "gpt-5", "5,000"))
    assert told("show", key_text("Ada", secret=OLDER))[0] == 0
    assert told("show", key_text("Eve"))[1].endswith("no: api_key_revoked")
    assert told("show", key_text("Ada", ends=TODAY.replace(year=2020)))[1].endswith("no: api_key_ended")
    assert told("show", key_text("Ada", secret="another-signing-key-0123456789-abcdef"))[0] == 1
    assert told("show", "sk-x")[0] == 1


def test_revoke_adds_a_name_to_those_that_the_function_has() -> None:
    _, text = told("revoke", "O'Neill $(x)")
    assert text.startswith("PROXY_REVOKED_KEYS=Eve,O'Neill $(x)\n")
    assert "--settings 'PROXY_REVOKED_KEYS=Eve,O'\"'\"'Neill $(x)'" in text
    assert told("revoke", "Eve")[1].startswith("PROXY_REVOKED_KEYS=Eve\n")


AZD = 'AZURE_SUBSCRIPTION_ID="s"\nAZURE_RESOURCE_GROUP="g"\nAZURE_FUNCTION_APP="f"\nODD="a \\"b\\" c"\n'
AZD += 'PROXY_BASE_URL="https://f.azurewebsites.net/api/v1"\nPROXY_REVOKED_KEYS="of azd"\n'


def running(appsettings: Mapping[str, str] | None, azd: str = AZD) -> deployment.Run:
    def run(*command: str) -> str:
        if command[0] == "azd":
            return azd
        assert command[:4] == ("az", "functionapp", "config", "appsettings")
        assert command[5:11] == ("--subscription", "s", "--resource-group", "g", "--name", "f")
        return "" if appsettings is None else json.dumps(list(appsettings.items()))

    return run


def test_the_signing_key_of_azure_is_found_through_azd() -> None:
    there = find({}, run=running({"PROXY_SIGNING_KEY": SECRET, "PROXY_REVOKED_KEYS": "Eve,Bob"}))
    assert (there.signing_keys, there.revoked) == ((SECRET,), ("Eve", "Bob"))
    assert there.base_url == "https://f.azurewebsites.net/api/keys/v1"


def test_the_environment_goes_before_what_azure_has() -> None:
    there = find({"PROXY_SIGNING_KEY": OLDER}, run=running({"PROXY_SIGNING_KEY": SECRET, "PROXY_REVOKED_KEYS": "Eve"}))
    assert (there.signing_keys, there.revoked) == ((OLDER,), ("Eve",))

    def none(*_: str) -> str:
        raise AssertionError("nothing is asked where all is known")

    assert find(ENVIRON, run=none).revoked == ("Eve",)


def test_who_cannot_read_what_was_revoked_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new list without the old keys would let them in again."""
    monkeypatch.setattr(deployment.shutil, "which", lambda name: None)
    environ = {"PROXY_SIGNING_KEY": SECRET}
    assert find(environ).revoked is None
    assert "Nobody could read" in told("revoke", "Ada", environ=environ)[1]
    assert find({}, run=running({"PROXY_SIGNING_KEY": SECRET})).revoked == ()


@pytest.mark.parametrize("secret", ["", "short", "@Microsoft.KeyVault(VaultName=my-vault;SecretName=signing-key)"])
def test_without_a_signing_key_that_can_be_used_no_key_is_made(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"PROXY_SIGNING_KEY": secret, "PROXY_REVOKED_KEYS": "Eve", "PATH": "/nowhere"}
    said = failed(capsys, "make", "--name", "Ada", "--ends", "never", environ=environ)
    assert "PROXY_SIGNING_KEY" in said
    assert secret not in said or not secret
