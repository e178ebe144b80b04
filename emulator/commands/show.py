"""`show`: cassettes as text."""

import argparse

from ..failure import UsageError
from ..folder import served
from ..transcript import find, transcript
from .console import say


def run(arguments: argparse.Namespace) -> None:
    try:
        tapes = [find(served(arguments.cassettes), name) for name in arguments.names]
    except LookupError as error:
        raise UsageError(str(error)) from error
    say("\n".join(map(transcript, tapes)).rstrip())
