"""Keeps answers that depend on the request alone, because tests and load repeat their requests."""

from collections import OrderedDict

from ...azure.answerer import Made
from ...azure.question import Question

MOST = 256  # answers
LONGEST = 65_536  # bytes of an answer and its request together


class Memory:
    def __init__(self) -> None:
        self._made = OrderedDict[Question, Made]()

    def get(self, question: Question) -> Made | None:
        return self._made.get(question)

    def keep(self, question: Question, made: Made) -> None:
        if len(question.body) + len(made.response.body) <= LONGEST:
            self._made[question] = made
            if len(self._made) > MOST:
                self._made.popitem(last=False)
