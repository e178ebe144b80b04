"""How a stub fails: a fault beside its answer, or in its place."""

from http import HTTPStatus
from typing import Any

from ...azure import faults
from ...azure.errors import ERRORS
from ...azure.faults import Fault, FaultError
from ...azure.identity import FAULTS as OF_IDENTITY
from ...azure.rules import facts_of
from ...tape.interaction import Response
from .error import StubError
from .prompt import Prompt

ALONE = ("reset", "wrong_content_type")  # faults that need no answer, unless a place in it is named


def fault_of(wish: Any, has_answer: bool) -> Fault:
    """Raises StubError for a fault that does not exist, or cannot happen to a stub."""
    if not isinstance(wish, str):
        raise StubError(f'fails() takes a fault as text, as in "reset; at_frame=3", not {wish!r}.')
    if wish.partition(";")[0].strip() in OF_IDENTITY:
        raise StubError(f"{wish!r} happens before any request arrives: aoai_emulator.fault({wish!r}).")
    try:
        fault = faults.parse(wish)
    except FaultError as error:
        raise StubError(str(error)) from error
    if fault.times == 0:
        raise StubError(f"{wish!r} would never happen: times is at least 1.")
    placed = any(name in fault.arguments for name in faults.LATER)
    if not has_answer and fault.name not in ERRORS and (placed or fault.name not in ALONE):
        raise StubError(
            f"{fault.name} breaks an answer, and the stub has none yet. Say first what it answers, as in "
            f'.answers("It rains.").fails({wish!r}).'
        )
    return fault


def error_response(fault: Fault, prompt: Prompt) -> Response:
    """Azure's error, as it leaves when a whole test asks for it."""
    error, facts = ERRORS[fault.name], facts_of(prompt.question.route, prompt.question.deployment)
    headers = error.headers_for(facts, fault.waiting())
    framing = (("transfer-encoding", "chunked"),) if error.chunked else ()
    return Response(error.status, HTTPStatus(error.status).phrase, (*headers, *framing), error.body_for(facts))
