"""The verbs of the command line."""

import argparse
import io
import os
import signal
import sys
from importlib import import_module
from typing import Any

from . import host, option
from .bundle import COMMAND
from .failure import Failure
from .loading import loading

VERBS = {  # each is a module in commands/, with `add_arguments` and `run`
    "demo": "Show real traffic through the whole chain, then keep it running.",
    "serve": "Run the fake Azure and the proxy until Ctrl-C.",
    "azure": "Run the fake Azure alone, for `func start` or any Azure OpenAI client.",
    "record": "Run the proxy in front of live Azure OpenAI and record its answers, until Ctrl-C.",
    "page": "Show the calls that `pytest --emulator-journal=FILE` kept.",
    "show": "Print cassettes as transcripts of questions and answers.",
    "check": "Look for defects in cassettes: 0 nothing wrong, 1 errors found, 2 wrong usage.",
    "doctor": "Examine a deployed proxy from the outside: 0 well, 1 a problem, 2 wrong usage.",
    "host": host.SUMMARY,
}


def main(argv: list[str] | None = None) -> int:
    """Returns 0 when done or stopped, 1 when it failed, 2 for wrong usage. An error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):  # a character that a terminal cannot show is spelled
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(stop, signal.default_int_handler)
    try:
        arguments = parser().parse_args(argv)
        return int(arguments.verb(arguments) or 0)
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
    verbs = root.add_subparsers(required=True, metavar="VERB", parser_class=VerbParser)
    for name, summary in VERBS.items():
        verbs.add_parser(name, module=f"{__package__}.commands.{name}", help=summary, description=summary)
    return root


class VerbParser(option.Parser):
    """Imports the module of its verb when there is something to parse: the modules of all verbs would take 0.3 s."""

    def __init__(self, *, module: str, **told: Any) -> None:
        super().__init__(**told)
        self._module, self._is_whole = module, False

    def parse_known_args(self, *given: Any) -> Any:  # type: ignore[override]  # as argparse calls it for a verb
        self.whole()
        return super().parse_known_args(*given)

    def whole(self) -> "VerbParser":
        """This parser, with the arguments of its verb."""
        if not self._is_whole:
            with loading():
                verb = import_module(self._module)
            verb.add_arguments(self)
            self.set_defaults(verb=verb.run)
            self._is_whole = True
        return self
