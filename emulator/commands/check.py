"""`check`: the defects of cassettes."""

import argparse
import json
from pathlib import Path

from ..bundle import folders_of
from ..failure import UsageError
from ..folder import add_cassettes, require
from ..match.declared import of_project
from .console import say
from .missing import NotInstalled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cassettes(parser, otherwise="none")
    parser.add_argument(
        "--recordings", type=Path, metavar="DIR", help="real recordings to compare with ($AZURE_RECORDINGS)"
    )
    parser.add_argument("--specs", type=Path, metavar="DIR", help="Azure's OpenAPI descriptions ($AZURE_SPECS)")
    parser.add_argument("--audit", action="store_true", help="change every request, check that matching notices")
    parser.add_argument("--played", type=Path, metavar="FILE", help="the file of `pytest --emulator-played=FILE`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    try:
        from .. import lint  # imports the SDK, which is not always installed and takes 0.5 s
    except ImportError as missing:
        raise NotInstalled(f"{missing}. check reads the OpenAI SDK's types", "check") from missing
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
