"""The place of a value in the instance. The place and the seed decide what the value is."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..seed import Seed
from .unsatisfiable import Unsatisfiable

DEEPEST = 40  # levels of an instance; Azure allows 10 in strict schemas
NOTHING: Mapping[str, int] = {}


class Place(NamedTuple):
    """`entered` counts how often each reference was followed from the top to here. `brief` asks for the shortest value
    that fits. `attempt` counts the rejected values."""

    seed: Seed
    path: str = ""
    name: str = ""
    depth: int = 0
    entered: Mapping[str, int] = NOTHING
    brief: bool = False
    attempt: int = 0

    def below(self, step: str | int) -> "Place":
        """The place of a field or of an item. An item has its array's name. Raises Unsatisfiable below DEEPEST."""
        if self.depth == DEEPEST:
            raise self.unsatisfiable(f"the schema needs more than {DEEPEST} levels")
        if isinstance(step, int):
            path, name = f"{self.path}[{step}]", self.name
        else:
            path, name = f"{self.path}.{step}" if self.path else step, step
        return Place(self.seed, path, name, self.depth + 1, self.entered, self.brief, self.attempt)

    def entering(self, references: Iterable[str]) -> "Place":
        """The same place inside these references. A reference inside itself makes the value brief. A third time raises
        Unsatisfiable, because a schema's shortest value follows no reference inside itself."""
        entered = dict(self.entered)
        for reference in references:
            entered[reference] = entered.get(reference, 0) + 1
            if entered[reference] > 2:
                raise self.unsatisfiable(f"`{reference}` refers to itself without end")
        return self._replace(entered=entered, brief=self.brief or 2 in entered.values())

    def again(self, attempt: int) -> "Place":
        return self._replace(attempt=self.attempt + attempt) if attempt else self

    def pick(self, choices: int, what: str = "") -> int:
        """A number below `choices`. Successive attempts go through all numbers."""
        return (self.seed.number(f"{self.path} {what}", choices) + self.attempt) % choices

    def flip(self, what: str) -> bool:
        """True or false, drawn anew for each attempt."""
        return self.seed.number(f"{self.path} {what} {self.attempt}", 2) == 1

    def unsatisfiable(self, reason: str) -> Unsatisfiable:
        return Unsatisfiable(reason, self.path)
