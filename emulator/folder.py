"""Folders of cassettes, as the command line names them: `--cassettes`, and its default."""

import sys
from collections.abc import Iterable
from pathlib import Path

from . import deployment
from .bundle import CASSETTES, folders_of
from .failure import UsageError
from .match.declared import of_project
from .match.library import Library


def served(given: list[Path] | None) -> list[Path]:
    """The named folders, else the project's own, else the emulator's own."""
    return given or [folder for folder in folders_of(Path()) if folder.is_dir()] or [CASSETTES]


def require(folders: Iterable[Path]) -> None:
    """Raises UsageError."""
    for folder in folders:
        if folder.is_file():
            raise UsageError(f"{folder} is a file. Name its folder, {folder.parent}.")
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}. Name one that is there, seen from {Path.cwd()}.")


def library_of(folders: list[Path]) -> Library:
    """What is not served is named on standard error. Raises UsageError, and
    SlackError for what the pyproject.toml of the current folder declares."""
    require(folders)
    library = Library.from_folders(folders, of_project(Path()))
    for problem in library.problems:
        print(f"warning: not served: {problem}", file=sys.stderr)
    for problem in deployment.not_served(library):
        print(f"warning: not served by the proxy: {problem}", file=sys.stderr)
    return library
