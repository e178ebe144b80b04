"""One run of recording, which several processes may share: locks, budgets and what there is to tell at the end.

pytest-xdist's workers record side by side. What they must agree on lives in a folder of the run: which cassettes it has
begun, how many requests and tokens are spent, and one line of JSON for everything that was recorded or was not.
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
    """Alone with a file, among all processes of this machine. The lock itself lies elsewhere."""
    digest = hashlib.blake2b(str(path.absolute()).encode(), digest_size=16).hexdigest()
    with FileLock(Path(tempfile.gettempdir()) / f"aoai-{digest}.lock"):
        yield


class Run:
    """`folder` belongs to this run alone, and to all of its processes."""

    def __init__(self, folder: Path, budget: Budget | None = None) -> None:
        self.folder, self.budget, self._spent = folder, budget or Budget(), folder / "spent.json"
        folder.mkdir(parents=True, exist_ok=True)

    def begun(self, name: str) -> Path:
        """A file that says, by existing, that this run has written the cassette of this name."""
        return self.folder / quote(name, safe="")

    @property
    def spent(self) -> Spent:
        with locked(self._spent):
            return self._read()

    def reserve(self, expected_tokens: int) -> None:
        """Count what a request may use before it is made. Raises BudgetSpent instead when the budget does not allow it.
        Without a budget nothing is counted yet: a client waits."""
        if not self.budget.is_limited:
            return
        with locked(self._spent):
            spent = self._read()
            if refusal := self.budget.refusal(spent, expected_tokens):
                raise BudgetSpent(refusal)
            self._write(spent + Spent(requests=1))

    def spend(self, spent: Spent) -> None:
        """Count what a request did use; the request itself, unless `reserve` has."""
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
        """In place: a client waits for it, and only who holds the lock looks."""
        self._spent.write_text(json.dumps(asdict(spent)))
