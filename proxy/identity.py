"""The function's identity for Azure OpenAI: its token."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from .credential import Token, new_token

REFRESH_AHEAD_SECONDS = 300.0  # azure-identity renews a managed identity's token in its last five minutes
REFRESH_PAUSE_SECONDS = 30.0  # between two attempts to renew a token that is still good
EXPIRY_MARGIN_SECONDS = 5.0  # a token must outlive its trip to Azure

Source = Callable[[str, str | None], Awaitable[Token]]


class Identity:
    """A token for Azure OpenAI. One fetch serves any number of callers. A background task renews the token before it
    expires; callers get it as long as it is valid. (azure-identity alone asks once per concurrent caller, and fails in
    an outage of the identity endpoint while its token is still good.)"""

    def __init__(self, scope: str, client_id: str | None = None, source: Source = new_token) -> None:
        self.scope, self.client_id, self.source = scope, client_id, source
        self.current: Token | None = None
        self.fetch: asyncio.Task[None] | None = None
        self.fetched_at = 0.0
        self.refused = False

    async def token(self) -> str:
        """Raises the error of `source` when it gives no token."""
        now = time.time()
        left = self.current.expires_on - now if self.current else 0.0
        valid = left > EXPIRY_MARGIN_SECONDS
        good = valid and not self.refused
        due = not good or (left < REFRESH_AHEAD_SECONDS and now - self.fetched_at >= REFRESH_PAUSE_SECONDS)
        if due and (self.fetch is None or self.fetch.done()):
            self.fetched_at, self.refused = now, False
            self.fetch = asyncio.create_task(self.renew())
            self.fetch.add_done_callback(report_failure)
        if not good and self.fetch:
            try:
                await asyncio.shield(self.fetch)
            except Exception:
                if not valid:
                    raise
        assert self.current
        return self.current.token

    async def renew(self) -> None:
        self.current = await self.source(self.scope, self.client_id)

    def distrust(self) -> None:
        """Azure refused the token, so the next caller asks for a new one: somebody may have granted a role meanwhile.
        The old token goes on until a new one comes, because it may not be at fault."""
        if time.time() - self.fetched_at > REFRESH_PAUSE_SECONDS:
            self.refused = True


def report_failure(task: "asyncio.Task[None]") -> None:
    """Prints, as a record does. The call that began the renewal may be over; then the host would drop a log line, or
    show it as another function's (its source: GrpcWorkerChannel.Log)."""
    if not task.cancelled() and (error := task.exception()):
        print(f"no token from the managed identity: {error}", flush=True)
