"""Other sources of answers than the recordings. The stack hands them to the fake Azure, which knows no more of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..tape.interaction import Response
from .faults import Fault
from .journal import Exchange
from .question import Question


@dataclass(frozen=True)
class Made:
    """An answer that nobody recorded. `origin` names its source, such as "improvised". `fault` names a fault to play
    with it."""

    response: Response
    origin: str
    fault: Fault | None = None


Answerer = Callable[[Exchange, Question], Made | None]
Remark = Callable[[Exchange, Question], str]  # why its maker did not answer; "" for nothing


def first(answerers: Iterable[Answerer], exchange: Exchange, question: Question) -> Made | None:
    """The answer of the first source that has one."""
    return next(filter(None, (answerer(exchange, question) for answerer in answerers)), None)
