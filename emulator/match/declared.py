"""Where slack is declared: on top of a cassette, and in a project's pyproject.toml.

x-emulator: {slack: {"messages[*].content": date}}     for the recordings of this cassette

[tool.azure-openai-emulator.slack]                     for all that a project plays
"metadata.run" = "any"
"""

import tomllib
from pathlib import Path

from ..tape import document
from ..tape.cassette import Cassette, CassetteError
from . import slack
from .slack import NONE, Slack, SlackError

TABLE, MEMBER = "azure-openai-emulator", "slack"


def of_cassette(tape: Cassette) -> Slack:
    """Raises CassetteError."""
    if MEMBER not in tape.notes:
        return NONE
    try:
        return slack.parse(tape.notes[MEMBER])
    except SlackError as error:
        line = document.line_of(document.content_of(tape.path), ("x-emulator", MEMBER, error.rule))
        raise CassetteError(tape.path, line, f"x-emulator: {error}") from error


def of_project(folder: Path) -> Slack:
    """What the pyproject.toml in a folder declares; nothing where there is none. Raises SlackError."""
    path = folder / "pyproject.toml"
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return NONE
    except (OSError, ValueError) as error:
        raise SlackError(f"{path} cannot be read: {error}") from error
    tools = told.get("tool")
    table = tools.get(TABLE, {}) if isinstance(tools, dict) else {}
    try:
        if not isinstance(table, dict):
            raise SlackError("a table was expected")
        if unknown := [name for name in table if name != MEMBER]:
            raise SlackError(f"this is not read; {MEMBER} was expected", unknown[0])
        return slack.parse(table.get(MEMBER, {}))
    except SlackError as error:
        raise SlackError(f"{path}: [tool.{TABLE}]: {document.one_line(str(error), 400)}") from error
