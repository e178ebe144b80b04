"""Whose a stored response is. Azure gives one to whoever knows its id and may ask the resource, and all who call the
proxy ask as one."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from .errors import ProxyError
from .keys import Key
from .limits import is_reference, values
from .model import Members

KNOWN = 10_000  # responses; about 2 MB
PAUSES_SECONDS = (0.0, 0.2, 0.5, 1.0)  # before each look: another instance may be writing it this moment
ATTEMPT_SECONDS = 5.0


class Table(Protocol):
    async def write_owner(self, digest: str, key_id: str) -> None: ...
    async def owner(self, digest: str) -> str | None: ...


class Owners:
    """Creating a response never waits for the table. Using one does, where another instance made it: without knowing
    whose it is, nobody gets it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: dict[str, str] = {}
        self.writing: set[asyncio.Task[None]] = set()

    def note(self, response_id: str, key: Key) -> None:
        """Needs a running event loop."""
        name = digest(response_id)
        if name not in self.known:
            self.remember(name, key.id)
            task = asyncio.create_task(self.write(name, key.id))
            self.writing.add(task)
            task.add_done_callback(self.writing.discard)

    async def write(self, name: str, key_id: str) -> None:
        """Until it is written, or forgotten."""
        while name in self.known:
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    await self.table.write_owner(name, key_id)
                return
            except Exception:  # the table's state is told by proxy/sharing.py
                await asyncio.sleep(ATTEMPT_SECONDS)

    async def require(self, response_ids: Iterable[str], key: Key) -> None:
        """Raises ProxyError where one of them is not this key's, or nobody can tell."""
        for response_id in response_ids:
            if await self.owner(digest(response_id)) != key.id:
                raise ProxyError("response_not_yours")

    async def owner(self, name: str) -> str | None:
        for pause in PAUSES_SECONDS:
            await asyncio.sleep(pause)
            if (owner := self.known.get(name)) is not None:
                return owner
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    owner = await self.table.owner(name)
            except Exception as error:
                raise ProxyError("owner_unknown", cause="usage_table", detail=type(error).__name__) from error
            if owner is not None:
                self.remember(name, owner)
                return owner
        return None

    def remember(self, name: str, key_id: str) -> None:
        if len(self.known) >= KNOWN:
            del self.known[next(iter(self.known))]  # the oldest
        self.known[name] = key_id


def digest(response_id: str) -> str:
    """The id itself opens the response, and stands in no table."""
    return hashlib.sha256(response_id.encode()).hexdigest()


def named(path: Mapping[str, str], members: Members) -> list[str]:
    """The responses that a call uses. Raises ProxyError where it uses what has no owner that is known here."""
    if values(members, "conversation"):
        raise ProxyError("owner_not_kept", "`conversation`", "`previous_response_id`", param="conversation")
    for given in values(members, "input"):
        if isinstance(given, list) and any(map(is_reference, given)):
            raise ProxyError("owner_not_kept", "an `item_reference`", "the whole item", param="input")
    before = values(members, "previous_response_id")
    return [
        *(value for name, value in path.items() if name == "response_id"),
        *(given for given in before if isinstance(given, str)),
    ]
