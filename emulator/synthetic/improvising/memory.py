"""Keeps answers that depend on the request alone, because tests and load repeat their requests."""

from collections import OrderedDict
from collections.abc import Callable

from ...azure.answerer import Made
from ...azure.question import Question

MOST = 256  # answers
LONGEST = 65_536  # bytes of an answer and its request together
Effect = Callable[[], None]


def nothing() -> None:
    """The effect of most answers."""


class Memory:
    """An answer may have an effect besides its bytes: a response is stored. `get` repeats the effect."""

    def __init__(self) -> None:
        self._made = OrderedDict[Question, tuple[Made, Effect]]()

    def get(self, question: Question) -> Made | None:
        if known := self._made.get(question):
            made, effect = known
            effect()
            return made
        return None

    def keep(self, question: Question, made: Made, effect: Effect = nothing) -> None:
        if len(question.body) + len(made.response.body) <= LONGEST:
            self._made[question] = made, effect
            if len(self._made) > MOST:
                self._made.popitem(last=False)
