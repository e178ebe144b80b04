"""Where in an instance a value stands, which decides what it is."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..seed import Seed
from .unsatisfiable import Unsatisfiable

DEEPEST = 40  # levels; Azure takes 10 in strict schemas
NOTHING: Mapping[str, int] = {}


class Place(NamedTuple):
    """`entered` counts the references followed on the way here; `brief` asks for the shortest value that fits;
    `attempt` is 0 until a value was thrown away."""

    seed: Seed
    path: str = ""
    name: str = ""
    depth: int = 0
    entered: Mapping[str, int] = NOTHING
    brief: bool = False
    attempt: int = 0

    def below(self, step: str | int) -> "Place":
        """The place of a field or of an item. Items are named as their array is."""
        if self.depth == DEEPEST:
            raise self.unsatisfiable(f"it asks for more than {DEEPEST} levels")
        if isinstance(step, int):
            path, name = f"{self.path}[{step}]", self.name
        else:
            path, name = f"{self.path}.{step}" if self.path else step, step
        return Place(self.seed, path, name, self.depth + 1, self.entered, self.brief, self.attempt)

    def entering(self, references: Iterable[str]) -> "Place":
        """A reference inside itself makes the value brief. Raises Unsatisfiable when it is inside itself once more: the
        shortest value of a schema needs no reference twice."""
        entered = dict(self.entered)
        for reference in references:
            entered[reference] = entered.get(reference, 0) + 1
            if entered[reference] > 2:
                raise self.unsatisfiable(f"`{reference}` refers to itself without an end")
        return self._replace(entered=entered, brief=self.brief or 2 in entered.values())

    def again(self, attempt: int) -> "Place":
        return self._replace(attempt=self.attempt + attempt) if attempt else self

    def pick(self, choices: int, what: str = "") -> int:
        """A number below `choices`; the attempts go through all of them."""
        return (self.seed.number(f"{self.path} {what}", choices) + self.attempt) % choices

    def flip(self, what: str) -> bool:
        """Heads or tails: drawn anew for each attempt."""
        return self.seed.number(f"{self.path} {what} {self.attempt}", 2) == 1

    def unsatisfiable(self, reason: str) -> Unsatisfiable:
        return Unsatisfiable(reason, self.path)
