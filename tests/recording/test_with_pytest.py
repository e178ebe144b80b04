"""A new test runs against the live service once, and offline from then on."""

import os
import pty
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator.stack import CASSETTES, ROOT
from emulator.tape import cassette
from tests.golden import assert_golden
from tests.pages import block_with, blocks
from tests.recording.conftest import Live

CONFTEST = """
from pathlib import Path
import httpx
import pytest
pytest_plugins = ["emulator.pytest_plugin"]

@pytest.fixture(scope="session")
def aoai_cassette_folders():
    return [Path(__file__).parent / "cassettes"]

@pytest.fixture
def ask(proxy_base_url, function_key):
    def ask(question, **more):
        body = {"messages": [{"role": "user", "content": question}], "model": "gpt-4o-mini", **more}
        answer = client.post("/chat/completions", json=body)
        return answer.raise_for_status().text
    with httpx.Client(base_url=proxy_base_url, headers={"x-functions-key": function_key}) as client:
        yield ask
"""  # the tests ask with httpx: whoever starts pytest a dozen times waits for each import of openai
NEW_TEST = """
import pytest

@pytest.mark.cassette("chat/capital")
def test_capital(ask):
    for _ in range(1):
        answer = ask("What is the capital of France?")
    assert "Paris" in answer

def test_story(ask):
    answer = ask("Tell a story about a lighthouse in two sentences.", stream=True)
    assert answer.count("data: ") > 5
"""
NEWER_TEST = """
def test_capital_of_another(ask):
    ask("What is the capital of Spain?")
"""


def new_project(folder: Path) -> Path:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_new.py").write_text(NEW_TEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "cassettes").mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Another project, with tests that have no recording yet."""
    return new_project(tmp_path)


class Recorded(NamedTuple):
    folder: Path
    base: str
    told: str


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The other project after its tests were recorded."""
    folder = new_project(tmp_path_factory.mktemp("project"))
    with Live.started() as live:
        status, told = run(folder, live, "--record-mode=once")
    assert status == 0, told
    return Recorded(folder, live.env["AZURE_OPENAI_BASE"], told)


@pytest.fixture
def recorded(once: Recorded, tmp_path: Path) -> Path:
    """A copy of the recorded project, which a test may change."""
    return Path(shutil.copytree(once.folder, tmp_path / "project"))


def environment(live: Live | None, **more: str) -> dict[str, str]:
    settings = ("AZURE_", "OPENAI_", "CI", "PYTEST_", "AOAI_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    alone = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins cost a second a run
    return kept | alone | (live.env if live else {}) | more


def run(project: Path, live: Live | None, *arguments: str, **more: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.garbage", *arguments]
    done = subprocess.run(
        command, cwd=project, env=environment(live, **more), capture_output=True, text=True, timeout=100
    )
    return done.returncode, done.stdout + done.stderr


def cassettes(project: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for path, name in cassette.find([project / "cassettes"])}


def test_a_new_test_is_recorded_once(once: Recorded) -> None:
    section = once.told[once.told.index("= recorded =") :].partition("\n")[2].rpartition("\n2 passed")[0]
    assert_golden("../recording/golden/summary.txt", section + "\n")
    written = cassettes(once.folder)
    assert sorted(written) == ["chat/capital", "new/story"]
    assert b"about: Capital.\n" in written["chat/capital"]
    assert all(once.base.encode() not in data for data in written.values())


def test_then_it_plays_offline_and_what_has_no_recording_fails(recorded: Path) -> None:
    before = cassettes(recorded)
    (recorded / "test_newer.py").write_text(NEWER_TEST)
    status, told = run(recorded, None)
    assert (status, "1 failed, 2 passed" in told) == (1, True), told
    assert "No recording matches POST chat/completions" in told
    assert cassettes(recorded) == before


def test_the_way_of_the_docs_works(folder: Path, project: Path) -> None:
    """The test and the commands are those of docs/recording.md."""
    test = block_with("python", "def test_limerick")
    commands = [line for block in blocks("docs/recording.md", "bash") for line in block.splitlines() if " -m " in line]
    assert [command.split()[2:4] for command in commands] == [
        ["pytest", "--record-mode=once"],
        ["emulator", "show"],
        ["emulator", "check"],
    ]
    source = cassette.load(CASSETTES / "chat/question.yaml").interactions[0]
    body = source.request.body.replace(b"What is the capital of France?", b"A limerick about tape, please.")
    cassette.save(folder / "live.yaml", [replace(source, request=replace(source.request, body=body))], {})
    (project / "tests").mkdir()
    (project / "tests/test_limerick.py").write_text(test)
    with Live.started([folder]) as live:
        status, told = run(project, live, *commands[0].split()[3:])
        assert status == 0, told
    assert sorted(cassettes(project)) == ["chat/limerick"]
    for command in commands[1:]:
        done = subprocess.run(
            [sys.executable, *command.split()[1:], "--cassettes", str(project / "cassettes")],
            env=environment(None),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    status, told = run(project, None, "tests/test_limerick.py")
    assert status == 0, told


@pytest.mark.long
def test_workers_side_by_side_record_the_same(live: Live, project: Path) -> None:
    status, told = run(project, live, "--record-mode=once", "-p", "xdist", "-n", "2")
    assert status == 0, told
    assert sorted(cassettes(project)) == ["chat/capital", "new/story"]
    assert "chat/capital: 1 answers, 1 in the file" in told
    assert "2 requests" in told


def test_where_ci_is_set_what_is_recorded_plays_and_what_would_record_is_refused(live: Live, recorded: Path) -> None:
    before = cassettes(recorded)
    (recorded / "test_newer.py").write_text(NEWER_TEST)
    (recorded / "test_other.py").write_text("def test_other(): pass\n")
    status, told = run(recorded, live, "--record-mode=once", CI="true")
    assert (status, "1 failed, 3 passed, 1 error" in told) == (1, True), told
    refused = [line for line in told.splitlines() if line.startswith("--record-mode")]
    status, told = run(recorded, live, "--record-mode=rewrite", CI="true")
    assert (status, "1 passed, 3 errors" in told) == (1, True), told
    refused += [line for line in told.splitlines() if line.startswith("--record-mode")]
    assert_golden("../recording/golden/ci.txt", "\n".join(dict.fromkeys(refused)) + "\n")
    assert not live.azure.journal.exchanges
    assert cassettes(recorded) == before


@pytest.mark.parametrize(
    "missing", ["AZURE_OPENAI_BASE", pytest.param("AZURE_OPENAI_DEPLOYMENT", marks=pytest.mark.long)]
)
def test_without_a_live_service_what_is_recorded_plays_and_what_recording_needs_is_said(
    live: Live, recorded: Path, missing: str
) -> None:
    """pytest-recording's users often have `--record-mode=once` in their ini-file."""
    del live.env[missing]
    (recorded / "test_newer.py").write_text(NEWER_TEST)
    status, told = run(recorded, live, "--record-mode=once")
    assert (status, "1 failed, 2 passed" in told) == (1, True), told
    assert f"To record, set {missing} to " in told


def test_an_interrupted_test_leaves_the_old_cassette(live: Live, recorded: Path) -> None:
    before = cassettes(recorded)
    twice = NEW_TEST.replace("range(1)", "range(2)").replace("    assert", "    raise KeyboardInterrupt\n    assert")
    (recorded / "test_new.py").write_text(twice)
    status, told = run(recorded, live, "--record-mode=rewrite", "-k", "capital")
    assert status == 2, told
    assert len(live.azure.journal.exchanges) == 2, "it had asked"
    assert cassettes(recorded) == before, "one answer, not the two"


QUESTION = """    ask("What is a proxy, in one sentence?")
"""
SECRET = """    import httpx
    with pytest.raises(httpx.HTTPStatusError):
        ask("Write to jane.roe@contoso.com.")
"""
UNFIT = {  # tests whose requests the recorder must not keep
    "a failed assertion": f"def test_x(ask):\n{QUESTION}    assert False\n",
    "an error": f"def test_x(ask):\n{QUESTION}    raise ValueError\n",
    "a skip in the middle": f"def test_x(ask):\n{QUESTION}    pytest.skip()\n",
    "an unexpected success": f"@pytest.mark.xfail(strict=True)\ndef test_x(ask):\n{QUESTION}",
    "a fixture that fails later": (
        f"@pytest.fixture\ndef ready(ask):\n{QUESTION}    assert False\ndef test_x(ready):\n    pass\n"
    ),
    "a fixture that fails at the end": (
        f"@pytest.fixture\ndef after(ask):\n    yield\n    assert False\ndef test_x(ask, after):\n{QUESTION}"
    ),
    "a request that was refused": f"def test_x(ask):\n{QUESTION}{SECRET}",
}


@pytest.mark.parametrize("mode", ["once", pytest.param("rewrite", marks=pytest.mark.long)])
def test_a_test_that_does_not_pass_leaves_the_cassettes_as_they_were(mode: str, live: Live, recorded: Path) -> None:
    before = cassettes(recorded)
    (recorded / "test_new.py").unlink()
    for number, source in enumerate(UNFIT.values()):
        marker = '@pytest.mark.cassette("chat/capital")\n' if mode == "rewrite" else ""
        text = source.replace("def test_x", f"{marker}def test_x")
        (recorded / f"test_unfit_{number}.py").write_text(f"import pytest\n{text}")
    status, told = run(recorded, live, f"--record-mode={mode}")
    assert status == 1, told
    assert len(live.azure.journal.exchanges) == len(UNFIT), "they had asked"
    assert cassettes(recorded) == before


def test_the_summary_names_what_was_kept_back_and_an_option_keeps_it(live: Live, project: Path) -> None:
    """The recorder keeps a test that fails as expected, such as the story's."""
    failing = NEW_TEST.replace('assert "Paris"', 'assert "Rome"').replace("> 5", "> 500")
    (project / "test_new.py").write_text(failing.replace("def test_story", "@pytest.mark.xfail\ndef test_story"))
    status, told = run(project, live, "--record-mode=once")
    assert (status, list(cassettes(project))) == (1, ["new/story"])
    assert_golden(
        "../recording/golden/kept_back.txt", told[told.index("= recorded =") :].partition("\n")[2].partition("\n===")[0]
    )
    status, told = run(project, live, "--record-mode=once", "--record-failed")
    assert (status, list(cassettes(project))) == (1, ["chat/capital", "new/story"])


LATER = [pytest.param(f"--max-tokens={value}", marks=pytest.mark.long) for value in ("0", "nan")]


@pytest.mark.parametrize("option", ["--max-requests=-1", *LATER])
def test_a_limit_out_of_range_is_refused_before_any_test(project: Path, option: str) -> None:
    status, told = run(project, None, option)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert f"{option.partition('=')[2]!r} is not a whole number" in told


def test_whoever_watches_sees_a_progress_bar(live: Live, project: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--record-mode=once"]
    watched = environment(live, TERM="xterm", COLUMNS="140")
    with subprocess.Popen(command, cwd=project, env=watched, stdin=theirs, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # Linux raises EIO at the end
                break
            if not data:
                break
            seen += data
        assert running.wait() == 0, seen.decode()
    os.close(ours)
    assert b"2/2" in seen
    assert b"2 requests" in seen
