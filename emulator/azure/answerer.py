"""Who answers besides the recordings. The stack hands them to the fake Azure, which knows nothing else of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..tape.interaction import Response
from .faults import Fault
from .journal import Exchange
from .question import Question


@dataclass(frozen=True)
class Made:
    """An answer that nobody recorded. `origin` says whose it is, such as "improvised"; `fault` is what goes wrong with
    it."""

    response: Response
    origin: str
    fault: Fault | None = None


Answerer = Callable[[Exchange, Question], Made | None]
Remark = Callable[[Exchange, Question], str]  # why its maker did not answer; "" for nothing


def first(answerers: Iterable[Answerer], exchange: Exchange, question: Question) -> Made | None:
    """The answer of the first that has one."""
    return next(filter(None, (answerer(exchange, question) for answerer in answerers)), None)
