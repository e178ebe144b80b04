"""`GET events`: tells an open page what has changed, as server-sent events (WHATWG HTML, section 9.2).

A message holds all changes since the last message. So the emulator queues nothing for a page that reads slowly: such a
page gets fewer and longer messages. Where no page is open, nothing here runs.
"""

import asyncio
import json
import time
from contextlib import suppress

from ..azure.asgi import Send, head
from ..connection import Connection
from .answer import GUARDED
from .asked import Asked
from .changes import Changes
from .feeds import Feeds
from .subject import Subject

PAUSE_SECONDS = 0.1
SHARE = 0.01  # of one processor, at most: under load the page lags, and not the emulator
BEAT_SECONDS = 10.0
READ_SECONDS = 30.0  # the feed ends for a page that reads nothing for so long; the page connects again
END_SECONDS = 0.1
HEADERS = (("content-type", "text/event-stream"), *GUARDED)
BEAT = b": beat\n\n"


def read(subject: Subject, _: Asked) -> "Feed":
    """A feed for a page."""
    return Feed(subject.feeds, Changes(subject))


class Feed:
    def __init__(self, feeds: Feeds, changes: Changes) -> None:
        self._feeds, self._changes = feeds, changes

    async def deliver(self, send: Send, connection: Connection) -> None:
        """Sends the changes until the emulator stops, or the page reads no more. Raises Refusal before it sends
        anything, where too many pages are open."""
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as until:

                def end_now() -> None:
                    with suppress(RuntimeError):  # the time-out has ended already
                        until.reschedule(loop.time())

                def end() -> None:
                    with suppress(RuntimeError):  # the loop has ended
                        loop.call_soon_threadsafe(end_now)

                with self._feeds.ended_by(end):
                    await send(head(200, HEADERS))
                    await self._tell(send)
        try:
            async with asyncio.timeout(END_SECONDS):
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            connection.reset()

    async def _tell(self, send: Send) -> None:
        told_at = time.monotonic()
        while True:
            pause = PAUSE_SECONDS
            if self._changes.are_there():
                message, seconds = await asyncio.to_thread(self._message)
                pause = max(PAUSE_SECONDS, seconds / SHARE)
            else:
                message = BEAT if time.monotonic() - told_at >= BEAT_SECONDS else b""
            if message:
                async with asyncio.timeout(READ_SECONDS):
                    await send({"type": "http.response.body", "body": message, "more_body": True})
                told_at = time.monotonic()
            await asyncio.sleep(pause)

    def _message(self) -> tuple[bytes, float]:
        """The message, and the processor's seconds that it took."""
        began = time.thread_time()
        told = [f"event: {name}\ndata: {json.dumps(content)}\n\n" for name, content in self._changes.events()]
        return "".join(told).encode(), time.thread_time() - began
