"""pytest's side of recording: the cassette of a test, and the summary at the end. `pytest_plugin` uses it to record.

AZURE_OPENAI_BASE=https://… AZURE_OPENAI_DEPLOYMENT=gpt-4o-mini pytest --record-mode=once tests/test_story.py
"""

import inspect
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ..bundle import COMMAND
from ..match.declared import of_project
from ..scrub.scrub import SecretFound
from ..tape.cassette import CassetteError
from .budget import Budget
from .cassette_name import cassette_name
from .options import mode_of, option
from .run import Run
from .stack import RecordingStack, Wish

PASSED, RECORDING = pytest.StashKey[bool](), pytest.StashKey[RecordingStack | None]()
RUN = "AOAI_RECORDING_RUN"  # the folder that the processes of one run share


def configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # of pytest-xdist: the controller comes first, and its workers inherit
        os.environ[RUN] = str(Path(tempfile.mkdtemp(prefix="aoai-recording-")) / uuid.uuid4().hex)
        config.pluginmanager.register(Told(Run(Path(os.environ[RUN])), config), "aoai-recording")


def wish_of(config: pytest.Config) -> Wish:
    return Wish(
        mode_of(config),
        bool(option(config, "--record-errors")),
        Budget(option(config, "--max-requests"), option(config, "--max-tokens")),
    )


def stack_of(config: pytest.Config, folders: list[Path], settings: dict[str, str]) -> RecordingStack:
    """Raises LiveError and SlackError; where no live service is named, `configure` has made no folder for the run."""
    run, slack = Path(os.environ.get(RUN, "")), of_project(config.rootpath)
    return RecordingStack(folders, wish_of(config), run, settings=settings, slack=slack)


@contextmanager
def cassette_of(test: pytest.Item, stack: RecordingStack) -> Iterator[None]:
    """Opens the test's cassette, which is written once the test has passed. An interrupted test keeps the old one."""
    test.stash[PASSED], test.stash[RECORDING] = False, stack
    stack.begin(cassette_name(test, stack.recorder.folder), about(test))
    yield
    stack.recorder.close()


def note_end(test: pytest.Item, report: pytest.TestReport) -> None:
    """Each phase of a test ends with a report. A test that fails as expected counts as passed."""
    if report.when == "call":
        test.stash[PASSED] = report.passed or hasattr(report, "wasxfail")
    if report.when == "teardown" and (stack := test.stash.get(RECORDING, None)):
        test.stash[RECORDING] = None
        passed = (test.stash[PASSED] and report.passed) or option(test.config, "--record-failed")
        try:
            if passed:
                stack.finish()
            else:
                stack.recorder.keep_back(f"{test.nodeid} did not pass; --record-failed keeps them")
        except (CassetteError, SecretFound) as refused:
            report.outcome, report.longrepr = "failed", str(refused)


def about(test: pytest.Item) -> str:
    """The first line of the test's docstring, or its name in words: test_a_story_streams says "A story streams."."""
    told = inspect.getdoc(getattr(test, "obj", None))
    words = test.name.partition("[")[0].removeprefix("test_").replace("_", " ").capitalize()
    return f"{(told.splitlines()[0] if told else words).rstrip('.')}."


class Told:
    """Tells what the run records: with a progress bar meanwhile, where rich is installed, and with a summary at the
    end."""

    def __init__(self, run: Run, config: pytest.Config) -> None:
        self.run = run
        self.watched = sys.stderr.isatty() and config.option.verbose == 0 and find_spec("rich") is not None
        if self.watched:
            from .progress import Bar

            self.bar = Bar("recording")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items and self.watched:
            self.bar.expect(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        if self.watched:
            self.bar.expect(len(ids))

    def pytest_runtestloop(self) -> None:
        if self.watched:
            self.bar.__enter__()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Prints no dots, because the bar shows the progress."""
        passed = self.watched and report.when == "call" and report.passed
        return ("passed", "", "") if passed else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" and self.watched:
            self.bar.advance(self.run.spent)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        if self.watched:
            self.bar.__exit__()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("recorded")
        for note in self.run.notes:
            if "refused" in note:
                told = f"NOT {note['cassette']}: {note['refused']}: {note['why']}"
            else:
                told = f"{note['cassette']}: {note['recorded']} answers, {note['holds']} in the file"
            terminalreporter.write_line(told, red="refused" in note)
            if proposed := note.get("proposed"):
                terminalreporter.write_line(proposed, yellow=True)
        terminalreporter.write_line(f"{self.run.spent}. To review: git diff, {COMMAND} show NAME")
