"""The verbs of the command line."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import NamedTuple

from . import option
from .bundle import COMMAND
from .commands import arguments
from .doctor import arguments as doctor
from .failure import Failure
from .host import arguments as host
from .loading import loading
from .page import arguments as page


class Verb(NamedTuple):
    """The module of the same name in commands/ runs it."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]


VERBS = (
    Verb("demo", "Show real traffic through the whole chain, then keep it running.", arguments.add_demo),
    Verb("serve", "Run the fake Azure and the proxy until Ctrl-C.", arguments.add_serve),
    Verb("azure", "Run the fake Azure alone, for `func start` or any Azure OpenAI client.", arguments.add_azure),
    Verb(
        "record",
        "Run the proxy in front of live Azure OpenAI and record its answers, until Ctrl-C.",
        arguments.add_record,
    ),
    Verb("page", "Show the calls that `pytest --emulator-journal=FILE` kept.", page.add_file),
    Verb("show", "Print cassettes as transcripts of questions and answers.", arguments.add_show),
    Verb(
        "check",
        "Look for defects in cassettes: 0 nothing wrong, 1 errors found, 2 wrong usage.",
        arguments.add_check,
    ),
    Verb(
        "doctor", "Examine a deployed proxy from the outside: 0 well, 1 a problem, 2 wrong usage.", doctor.add_arguments
    ),
    Verb("host", host.SUMMARY, host.add_arguments),
)


def main(argv: list[str] | None = None) -> int:
    """Returns 0 when done or stopped, 1 when it failed, 2 for wrong usage. An error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):  # a character that a terminal cannot show is spelled
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(stop, signal.default_int_handler)
    try:
        asked = parser().parse_args(argv)
        return int(asked.verb(asked) or 0)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # as in `show NAME | head`; the rest goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Failure as failure:
        if told := str(failure):
            print(f"error: {told}", file=sys.stderr)
        return failure.status


def parser() -> argparse.ArgumentParser:
    root = option.Parser(prog=COMMAND, description=__doc__)
    verbs = root.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        added = verbs.add_parser(verb.name, help=verb.summary, description=verb.summary)
        verb.add_arguments(added)
        added.set_defaults(verb=partial(run, verb.name))
    return root


def run(name: str, arguments: argparse.Namespace) -> int | None:
    """Runs a verb, and returns its status. Only here its module is imported: the modules of all take 0.3 s."""
    with loading():
        verb = import_module(f"{__package__}.commands.{name}")
    status: int | None = verb.run(arguments)
    return status
