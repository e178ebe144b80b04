"""The fault of a stub, which breaks its answer or replaces it."""

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

ALONE = ("reset", "wrong_content_type")  # faults that need no answer, unless they name a place in it


def fault_of(wish: Any, has_answer: bool) -> Fault:
    """Raises StubError for a fault that does not exist, and for one that a stub cannot have."""
    if not isinstance(wish, str):
        raise StubError(f'fails() takes a fault as text, as in "reset; at_frame=3", not {wish!r}.')
    if wish.partition(";")[0].strip() in OF_IDENTITY:
        raise StubError(
            f"A stub cannot fail with {wish!r}, which happens before its request. Use aoai_emulator.fault({wish!r})."
        )
    try:
        fault = faults.parse(wish)
    except FaultError as error:
        raise StubError(str(error)) from error
    if fault.times == 0:
        raise StubError(f"{wish!r} would never happen: times must be at least 1.")
    placed = any(name in fault.arguments for name in faults.LATER)
    if not has_answer and fault.name not in ERRORS and (placed or fault.name not in ALONE):
        raise StubError(
            f"{fault.name} breaks an answer, and the stub has no answer yet. Give the answer first, as in "
            f'.answers("It rains.").fails({wish!r}).'
        )
    return fault


def error_response(fault: Fault, prompt: Prompt) -> Response:
    """Azure's error, in the same bytes as the fault of a whole test sends it."""
    error, facts = ERRORS[fault.name], facts_of(prompt.question.route, prompt.question.deployment)
    headers = error.headers_for(facts, fault.waiting())
    framing = (("transfer-encoding", "chunked"),) if error.chunked else ()
    return Response(error.status, HTTPStatus(error.status).phrase, (*headers, *framing), error.body_for(facts))
