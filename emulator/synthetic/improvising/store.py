"""Stores responses: request, answer and conversation, and the status of a background job."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

from ..asked import Asked, Reply
from .conversation import Conversation

MOST = 1_000  # responses; the store drops the oldest first
LARGEST = 64 * 1024 * 1024  # characters of all requests and conversations
QUEUED, IN_PROGRESS, COMPLETED, INCOMPLETE, CANCELLED = "queued", "in_progress", "completed", "incomplete", "cancelled"


@dataclass
class Kept:
    """`conversation` ends with the answer. Each request for a job moves its `status` on. A clock would move it at
    another call each time, and the same calls would get different answers."""

    asked: Asked
    reply: Reply
    conversation: Conversation
    status: str = ""
    ended: str = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.ended = INCOMPLETE if self.reply.is_cut() else COMPLETED
        self.status = self.status or self.ended
        self.size = sum(len(message["content"]) for message in self.conversation.messages) + len(str(self.asked.body))

    @cached_property
    def response_id(self) -> str:
        return self.asked.seed.response_id("resp")

    @property
    def is_job(self) -> bool:
        return self.asked.body.get("background") is True

    @property
    def said(self) -> Reply | None:
        """The answer; None until the job has ended, and where it was cancelled."""
        return self.reply if self.status == self.ended else None

    def looked_at(self) -> None:
        self.status = {QUEUED: IN_PROGRESS, IN_PROGRESS: self.ended}.get(self.status, self.status)

    def cancel(self) -> None:
        """Cancels the job, unless it has ended."""
        if self.status != self.ended:
            self.status = CANCELLED


class Store:
    """The responses by id. The same request has the same id, so a repeated request replaces its response."""

    def __init__(self) -> None:
        self._kept = OrderedDict[str, Kept]()
        self._size = 0

    def keep(self, kept: Kept) -> None:
        if before := self.get(kept.response_id):
            self.drop(before)
        self._kept[kept.response_id] = kept
        self._size += kept.size
        while len(self._kept) > MOST or (self._size > LARGEST and len(self._kept) > 1):
            self.drop(next(iter(self._kept.values())))

    @property
    def last(self) -> Kept | None:
        return next(reversed(self._kept.values()), None)

    def get(self, response_id: str) -> Kept | None:
        return self._kept.get(response_id)

    def drop(self, kept: Kept) -> None:
        del self._kept[kept.response_id]
        self._size -= kept.size
