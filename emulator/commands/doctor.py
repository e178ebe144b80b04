"""`doctor`: a deployed proxy, examined from the outside."""

import argparse

from ..doctor import command
from ..failure import UsageError
from .console import say


def run(arguments: argparse.Namespace) -> int:
    try:
        return command.run(arguments, say)
    except ValueError as error:
        raise UsageError(str(error)) from error
