"""Knows which key owns a stored response. Azure gives a response to anybody who knows its id and may use the resource.
To Azure, all callers of the proxy are one."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .errors import ProxyError
from .keys import Key
from .limits import is_reference, values
from .model import Members

KNOWN = 10_000  # responses; about 2 MB
PAUSES_SECONDS = (0.0, 0.2, 0.5, 1.0)  # before each look: another instance may be writing the owner at this moment
ATTEMPT_SECONDS = 5.0


class Table(Protocol):
    async def write_owner(self, digest: str, key_id: str) -> None: ...
    async def owner(self, digest: str) -> str | None: ...


class Owners:
    """A call that creates a response never waits for the table. A call that uses another instance's response waits:
    nobody gets a response whose owner is unknown."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.writing: set[asyncio.Task[None]] = set()

    def note(self, key: Key, response_id: str, tokens: int = 0) -> None:
        """Needs a running event loop. `tokens`: of the whole response, once Azure has told them."""
        name = digest(response_id)
        if name not in self.known:
            self.remember(name, key.id)
            task = asyncio.create_task(self.write(name, key.id))
            self.writing.add(task)
            task.add_done_callback(self.writing.discard)
        if tokens:
            self.sizes[name] = tokens

    def tokens(self, response_id: str) -> int | None:
        """None: this process does not know them."""
        return self.sizes.get(digest(response_id))

    async def write(self, name: str, key_id: str) -> None:
        """Tries until the owner is written, or forgotten."""
        while name in self.known:
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    await self.table.write_owner(name, key_id)
                return
            except Exception:  # proxy/sharing.py reports the table's state
                await asyncio.sleep(ATTEMPT_SECONDS)

    async def require(self, response_ids: Iterable[str], key: Key) -> None:
        """Raises ProxyError where the key does not own one of the responses, or the owner is unknown."""
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
            oldest = next(iter(self.known))
            del self.known[oldest]
            self.sizes.pop(oldest, None)
        self.known[name] = key_id


def digest(response_id: str) -> str:
    """The response's name in the table. The id itself opens the response, so no table has it."""
    return hashlib.sha256(response_id.encode()).hexdigest()


def named(path: Mapping[str, str], members: Members) -> list[str]:
    """The responses that a call uses. Raises ProxyError where it uses something whose owner the proxy does not keep."""
    if values(members, "conversation"):
        raise ProxyError("owner_not_kept", "`conversation`", "`previous_response_id`", param="conversation")
    for given in values(members, "input"):
        if isinstance(given, list) and any(map(is_reference, given)):
            raise ProxyError("owner_not_kept", "an `item_reference`", "the whole item", param="input")
    if any(names_container(tool) for given in values(members, "tools") if isinstance(given, list) for tool in given):
        raise ProxyError("owner_not_kept", "a `container`", '`{"type": "auto"}`', param="tools")
    before = values(members, "previous_response_id")
    return [
        *(value for name, value in path.items() if name == "response_id"),
        *(given for given in before if isinstance(given, str)),
    ]


def names_container(tool: Any) -> bool:
    """Whether a tool works in a container that another call made."""
    named = isinstance(tool, tuple) and values(tool, "container")
    return any(isinstance(container, str) for container in named or ())
