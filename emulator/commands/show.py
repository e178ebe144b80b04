"""`show`: cassettes as text."""

import argparse

from ..failure import UsageError
from ..folder import add_cassettes, served
from ..transcript import find, transcript
from .console import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="CASSETTE", help="a name, such as chat/story, or a file")
    add_cassettes(parser)


def run(arguments: argparse.Namespace) -> None:
    try:
        tapes = [find(served(arguments.cassettes), name) for name in arguments.names]
    except LookupError as error:
        raise UsageError(str(error)) from error
    say("\n".join(map(transcript, tapes)).rstrip())
