"""`record`: the proxy in front of live Azure OpenAI, with a page on demand."""

import argparse
from pathlib import Path

from ..bundle import folders_of
from ..failure import UsageError
from ..folder import add_cassettes, require
from ..host.command import DEFAULT_PORT
from ..page import command as page_command
from ..recording import command
from . import listening
from .missing import NotInstalled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    listening.add_arguments(parser, DEFAULT_PORT)
    add_cassettes(parser, otherwise="a new ./cassettes")
    command.add_arguments(parser)
    page_command.add_page(parser)


def run(arguments: argparse.Namespace) -> int:
    require(arguments.cassettes or ())
    arguments.cassettes = arguments.cassettes or folders_of(Path())
    try:
        with listening.starting_host():
            return command.record(
                arguments, lambda stack: page_command.inside(stack, arguments.cassettes, arguments.page)
            )
    except LookupError as error:
        raise UsageError(str(error)) from error
    except ImportError as missing:
        raise NotInstalled(str(missing), "record") from missing
