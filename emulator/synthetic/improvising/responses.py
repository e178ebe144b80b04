"""The Responses API, improvised: makes, keeps, shows, cancels and deletes responses."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ...tape.interaction import Response
from .. import errors, responses, stored
from ..asked import Asked
from . import compaction
from .conversation import Conversation, of_reply, of_responses
from .decision import reply
from .memory import Effect, nothing
from .refusal import Refused
from .store import QUEUED, Kept, Store

LONGEST_PAGE = 100  # items
NOT_STORED = "Background mode requires 'store' to be true."
NOT_STREAMED = "This response was not created with 'stream' set to true, so there is no stream to resume."
SYNCHRONOUS = "Cannot cancel a synchronous response."


class Responses:
    def __init__(self) -> None:
        self.store = Store()

    def makers(self) -> Mapping[str, Callable[[Asked], Response]]:
        """Method and route: what makes the answer. Each raises Refused."""
        return {
            "POST responses": self._make,
            "POST responses/compact": self._compact,
            "POST responses/input_tokens": self._count,
            "GET responses/{id}": self._about(_looked_at),
            "DELETE responses/{id}": self._about(self._deleted),
            "POST responses/{id}/cancel": self._about(_cancelled),
            "GET responses/{id}/input_items": self._about(_input_items),
        }

    def effect(self, asked: Asked) -> Effect | None:
        """What this request, the last one, did to the store; None where its answer, or what it stored, can change."""
        if asked.operation != "responses" or asked.body.get("background") or "previous_response_id" in asked.body:
            return None
        last = self.store.last
        return partial(self.store.keep, last) if last and last.asked is asked else nothing

    def _make(self, asked: Asked) -> Response:
        body = asked.body
        keeps, is_job = body.get("store", True), body.get("background", False)
        if is_job and not keeps:
            raise Refused(NOT_STORED, "background", "invalid_value")
        said = self._before(body.get("previous_response_id")) + of_responses(body.get("input", ()))
        answer = reply(asked, _instructions(body) + said)
        status = QUEUED if is_job and not asked.streams else ""
        if keeps:
            self.store.keep(Kept(asked, answer, said + of_reply(answer), status))
        return stored.state(asked, None, status) if status else responses.response(asked, answer)

    def _count(self, asked: Asked) -> Response:
        self._before(asked.body.get("previous_response_id"))
        return compaction.counted(asked)

    def _compact(self, asked: Asked) -> Response:
        before = self._before(asked.body.get("previous_response_id"))
        return compaction.compacted(asked, before, before + of_responses(asked.body.get("input", ())))

    def _before(self, response_id: str | None) -> Conversation:
        if response_id is None:
            return Conversation()
        if kept := self.store.get(response_id):
            return kept.conversation
        message = f"Previous response with id '{response_id}' not found."
        raise Refused(message, "previous_response_id", "previous_response_not_found")

    def _about(self, make: Callable[[Asked, Kept], Response]) -> Callable[[Asked], Response]:
        """`make` for the stored response whose id the path has; 404 where there is none."""

        def answer(asked: Asked) -> Response:
            kept = self.store.get(asked.operation.split("/")[1])
            return make(replace(asked, earlier=(kept.asked,)), kept) if kept else errors.not_found(asked)

        return answer

    def _deleted(self, asked: Asked, kept: Kept) -> Response:
        self.store.drop(kept)
        return stored.deleted(asked)


def _looked_at(asked: Asked, kept: Kept) -> Response:
    query = dict(asked.query)
    if query.get("stream") != "true":
        kept.looked_at()
        return stored.state(asked, kept.said, kept.status)
    if not kept.asked.streams:
        raise Refused(NOT_STREAMED, "stream", "invalid_value")
    return stored.rest_of_stream(_with(asked, starting_after=_number(query, "starting_after", -1)), kept.reply)


def _cancelled(asked: Asked, kept: Kept) -> Response:
    if not kept.is_job:
        raise Refused(SYNCHRONOUS, None, None)
    kept.cancel()
    return stored.state(asked, kept.said, kept.status)


def _input_items(asked: Asked, kept: Kept) -> Response:
    limit = _number(dict(asked.query), "limit", stored.PAGE)
    if not 1 <= limit <= LONGEST_PAGE:
        raise Refused(f"Invalid 'limit': {limit} is not between 1 and {LONGEST_PAGE}.", "limit", "invalid_value")
    try:
        return stored.input_items(_with(asked, limit=limit))
    except LookupError as error:
        raise Refused(f"Invalid 'after': {error}.", "after", "invalid_value") from error


def _number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    value = query.get(name, str(otherwise))
    if not (value.removeprefix("-").isdecimal() and len(value) < 10):
        raise Refused(
            f"Invalid type for '{name}': expected an integer, but got a string instead.", name, "invalid_type"
        )
    return int(value)


def _with(asked: Asked, **query: int) -> Asked:
    """The request with these values in its query."""
    others = tuple(pair for pair in asked.query if pair[0] not in query)
    return replace(asked, query=(*others, *((name, str(value)) for name, value in query.items())))


def _instructions(body: Mapping[str, Any]) -> Conversation:
    told = body.get("instructions", ())
    return of_responses([{"role": "system", "content": told}] if isinstance(told, str) else told)
