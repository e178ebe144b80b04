"""Calls that Azure would never answer, or would leave open in the worker until `functionTimeout` restarts the worker
and cuts every stream on it. This host ends such calls and reports them."""

import sys
from collections.abc import Callable

ANSWER = "in Azure this call would never be answered: {}"
GIVEN_UP = "in Azure this call would be a 500 once the worker gives up on it: {}"
STAYS = "in Azure this call would stay open in the worker until functionTimeout restarts it: {}"


def print_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Unanswered:
    """Reports each such call in one line, with its function and the reason."""

    def __init__(self, tell: Callable[[str], None] = print_error) -> None:
        self._tell = tell

    def never(self, function: str, reason: str) -> str:
        return self._note(ANSWER, function, reason)

    def stays(self, function: str, reason: str) -> str:
        return self._note(STAYS, function, reason)

    def _note(self, sentence: str, function: str, reason: str) -> str:
        told = sentence.format(reason)
        self._tell(f"function {function}: {told}")
        return told
