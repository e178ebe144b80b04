"""A progress bar for calls to a live service: progress, requests, estimated cost. It shows on terminals only."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .budget import Spent


class Bar:
    """A context manager. On anything but a terminal it shows nothing."""

    def __init__(self, what: str, total: int | None = None, console: Console | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[spent]}"),
            TimeRemainingColumn(),
            console=console or Console(file=sys.stderr),
            transient=True,
        )
        self._progress.disable = not self._progress.console.is_terminal
        self._task: TaskID = self._progress.add_task(what, total=total, spent=str(Spent()))

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def expect(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def advance(self, spent: Spent) -> None:
        self._progress.update(self._task, advance=1, spent=str(spent))

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._progress.console.print(line, highlight=False, markup=False, soft_wrap=True)
