"""`check`: the defects of cassettes."""

import argparse
import json
from pathlib import Path

from ..bundle import folders_of
from ..failure import UsageError
from ..folder import require
from ..match.declared import of_project
from .console import say
from .missing import NotInstalled


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
