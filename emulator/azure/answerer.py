"""Other sources of answers than the recordings. The stack hands them to the fake Azure, which knows no more of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from ..tape.interaction import Response
from .faults import Fault
from .journal import Exchange
from .plan import Plan, as_recorded
from .question import Question

ORIGIN_HEADER = "x-emulator-origin"  # who made an answer that nobody recorded


@dataclass(frozen=True)
class Made:
    """An answer that nobody recorded. `origin` names its source, such as "improvised". `fault` names a fault to play
    with it."""

    response: Response
    origin: str
    fault: Fault | None = None

    @cached_property
    def marked(self) -> Response:
        """The response, which says where it comes from."""
        return replace(self.response, headers=(*self.response.headers, (ORIGIN_HEADER, self.origin)))

    @cached_property
    def plan(self) -> Plan:
        return as_recorded(self.marked)


Answerer = Callable[[Exchange, Question], Made | None]
Remark = Callable[[Exchange, Question], str]  # why its maker did not answer; "" for nothing


def first(answerers: Iterable[Answerer], exchange: Exchange, question: Question) -> Made | None:
    """The answer of the first source that has one."""
    return next(filter(None, (answerer(exchange, question) for answerer in answerers)), None)
