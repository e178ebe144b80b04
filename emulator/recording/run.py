"""One run of recording, which several processes may share: locks, budgets and notes for the summary.

The workers of pytest-xdist record side by side. They share the folder of the run. It holds the names of the cassettes
that the run has begun, the requests and tokens spent, and a line of JSON for each answer, recorded or refused.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock

from .budget import Budget, BudgetSpent, Spent


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Locks a file against all other processes of this machine. The lock is a file elsewhere."""
    digest = hashlib.blake2b(str(path.absolute()).encode(), digest_size=16).hexdigest()
    with FileLock(Path(tempfile.gettempdir()) / f"aoai-{digest}.lock"):
        yield


class Run:
    """All processes of a run share its `folder`, and nobody else uses it."""

    def __init__(self, folder: Path, budget: Budget | None = None) -> None:
        self.folder, self.budget, self._spent = folder, budget or Budget(), folder / "spent.json"
        folder.mkdir(parents=True, exist_ok=True)

    def begun(self, name: str) -> Path:
        """The marker file for this cassette. It exists when this run has written the cassette."""
        return self.folder / quote(name, safe="")

    @property
    def spent(self) -> Spent:
        with locked(self._spent):
            return self._read()

    def reserve(self, expected_tokens: int) -> None:
        """Count the tokens that a request may use, before it is made. Raises BudgetSpent when the budget forbids it.
        Counts nothing without a budget, to save the client's time."""
        if not self.budget.is_limited:
            return
        with locked(self._spent):
            spent = self._read()
            if refusal := self.budget.refusal(spent, expected_tokens):
                raise BudgetSpent(refusal)
            self._write(spent + Spent(requests=1))

    def spend(self, spent: Spent) -> None:
        """Count the tokens that a request used, and the request itself unless `reserve` has."""
        counted = Spent(requests=-spent.requests) if self.budget.is_limited else Spent()
        with locked(self._spent):
            self._write(self._read() + spent + counted)

    def note(self, **told: Any) -> None:
        with (self.folder / "notes.jsonl").open("ab", buffering=0) as notes:  # appended in one write
            notes.write(json.dumps(told).encode() + b"\n")

    @property
    def notes(self) -> list[dict[str, Any]]:
        path = self.folder / "notes.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _read(self) -> Spent:
        return Spent(**json.loads(self._spent.read_text())) if self._spent.exists() else Spent()

    def _write(self, spent: Spent) -> None:
        """Writes in place, because a client waits. Only the holder of the lock reads the file."""
        self._spent.write_text(json.dumps(asdict(spent)))
