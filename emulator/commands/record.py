"""`record`: the proxy in front of live Azure OpenAI, with a page on demand."""

import argparse
from pathlib import Path

from ..bundle import folders_of
from ..failure import UsageError
from ..folder import require
from ..page import command as page_command
from ..recording import command
from .missing import NotInstalled
from .starting import starting_host


def run(arguments: argparse.Namespace) -> int:
    require(arguments.cassettes or ())
    arguments.cassettes = arguments.cassettes or folders_of(Path())
    try:
        with starting_host():
            return command.record(
                arguments, lambda stack: page_command.inside(stack, arguments.cassettes, arguments.page)
            )
    except LookupError as error:
        raise UsageError(str(error)) from error
    except ImportError as missing:
        raise NotInstalled(str(missing), "record") from missing
