"""The verbs of the command line."""

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import host, option, transcript
from .azure.faults import FaultError
from .bundle import CASSETTES, COMMAND, folders_of
from .commands import answering, azure, serve
from .commands.console import say, wait_for_ever
from .doctor import command as doctor_command
from .folder import add_cassettes, require, served
from .host import command
from .host.command import DEFAULT_PORT, add_host
from .match.declared import of_project
from .match.slack import SlackError
from .option import UsageError
from .page import command as page_command
from .page import reading
from .recording import command as recording_command
from .recording.live import LiveError
from .recording.sendable import RecordingRefused
from .server import PortError
from .stack import HostFailed
from .tape.cassette import CassetteError

EXTRA = "To install what is missing: pip install 'azure-openai-emulator[{}]'"
WRONG_USAGE = (UsageError, FaultError, LiveError, RecordingRefused, CassetteError, SlackError)


def main(argv: list[str] | None = None) -> int:
    """Returns 0 when done or stopped, 1 when it failed, 2 for wrong usage. An error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):  # a character that a terminal cannot show is spelled
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(stop, signal.default_int_handler)
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.verb(arguments) or 0)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # as in `show NAME | head`; the rest goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except HostFailed:
        return 1
    except (*WRONG_USAGE, PortError, host.AppError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, WRONG_USAGE) else 1


def parser() -> argparse.ArgumentParser:
    root = option.Parser(prog=COMMAND, description=__doc__)
    verbs = root.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], Any], summary: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=summary, description=summary)
        added.set_defaults(verb=run)
        return added

    def common(added: argparse.ArgumentParser, port: int) -> None:
        added.add_argument("--port", type=int, default=port, help=f"0 for a free one (default: {port})")
        add_host(added)
        added.add_argument("--json", action="store_true", help="print one JSON object, then nothing else")

    added = verb("demo", demo, "Show real traffic through the whole chain, then keep it running.")
    added.add_argument("--once", action="store_true", help="end after the steps (default without a terminal)")
    add_host(added)
    added = verb("serve", serve.run, serve.SUMMARY)
    common(added, DEFAULT_PORT)
    answering.add_arguments(added)
    page_command.add_port(added)
    page_command.add_access(added)
    added = verb("azure", azure.run, azure.SUMMARY)
    common(added, 0)
    answering.add_arguments(added)
    page_command.add_access(added)
    added.add_argument("--settings", action="store_true", help="write local.settings.json for `func start`")
    added = verb("record", record, recording_command.SUMMARY)
    common(added, DEFAULT_PORT)
    add_cassettes(added, otherwise="a new ./cassettes")
    recording_command.add_arguments(added)
    page_command.add_page(added)
    added = verb("page", page, reading.SUMMARY)
    reading.add_arguments(added)
    added = verb("show", show, "Print cassettes as transcripts of questions and answers.")
    added.add_argument("names", nargs="+", metavar="CASSETTE", help="a name, such as chat/story, or a file")
    add_cassettes(added)
    added = verb("check", check, "Look for defects in cassettes: 0 nothing wrong, 1 errors found, 2 wrong usage.")
    add_cassettes(added, otherwise="none")
    added.add_argument(
        "--recordings", type=Path, metavar="DIR", help="real recordings to compare with ($AZURE_RECORDINGS)"
    )
    added.add_argument("--specs", type=Path, metavar="DIR", help="Azure's OpenAPI descriptions ($AZURE_SPECS)")
    added.add_argument("--audit", action="store_true", help="change every request, check that matching notices")
    added.add_argument("--played", type=Path, metavar="FILE", help="the file of `pytest --emulator-played=FILE`")
    added.add_argument("--json", action="store_true", help="print one JSON object")
    added = verb("doctor", doctor, "Examine a deployed proxy from the outside: 0 well, 1 a problem, 2 wrong usage.")
    doctor_command.add_arguments(added)
    added = verb("host", command.host, command.SUMMARY)
    command.add_arguments(added)
    return root


def demo(arguments: argparse.Namespace) -> int:
    if not all(map(find_spec, ("openai", "dspy"))):
        raise UsageError("The demo needs the OpenAI SDK and DSPy: pip install openai dspy")
    from .demo import run  # imports the SDK and DSPy, which the other verbs do without

    is_watched = sys.stdin.isatty() and not arguments.once
    return run(not is_watched, arguments.host, lambda stack: page_command.inside(stack, [CASSETTES], is_watched))


def record(arguments: argparse.Namespace) -> int:
    require(arguments.cassettes or ())
    arguments.cassettes = arguments.cassettes or folders_of(Path())
    try:
        return recording_command.record(
            arguments, lambda stack: page_command.inside(stack, arguments.cassettes, arguments.page)
        )
    except LookupError as error:
        raise UsageError(str(error)) from error
    except ImportError as missing:
        raise UsageError(f"{missing}. {EXTRA.format('record')}") from missing


def page(arguments: argparse.Namespace) -> None:
    with reading.reading(arguments) as told:
        say(json.dumps(told) if arguments.json else f"Look at it at {told['page']}\nCtrl-C stops it.")
        if arguments.open:
            page_command.open_page(told)
        wait_for_ever()


def show(arguments: argparse.Namespace) -> None:
    try:
        tapes = [transcript.find(served(arguments.cassettes), name) for name in arguments.names]
    except LookupError as error:
        raise UsageError(str(error)) from error
    say("\n".join(map(transcript.transcript, tapes)).rstrip())


def check(arguments: argparse.Namespace) -> int:
    try:
        from . import lint  # imports the SDK, which the other verbs do without
    except ImportError as missing:
        raise UsageError(f"{missing}. check reads the OpenAI SDK's types. {EXTRA.format('check')}") from missing
    folders = arguments.cassettes or folders_of(Path())
    given = (*folders, *filter(None, (arguments.recordings, arguments.specs)))
    require(given)
    if arguments.played and not arguments.played.is_file():
        raise UsageError(f"{arguments.played} is no file. `pytest --emulator-played={arguments.played}` writes it.")
    tapes = lint.read(folders, of_project(Path()))
    if not tapes.files:
        raise UsageError(f"There are no cassettes below {', '.join(map(str, folders))}.")
    context = lint.context_of(arguments.recordings, arguments.specs, arguments.played)
    found = lint.findings(tapes, context, arguments.audit)
    say(json.dumps(lint.described(tapes, found)) if arguments.json else lint.text(tapes, found))
    return int(any(finding.severity == "error" for finding in found))


def doctor(arguments: argparse.Namespace) -> int:
    try:
        return doctor_command.run(arguments, say)
    except ValueError as error:
        raise UsageError(str(error)) from error
