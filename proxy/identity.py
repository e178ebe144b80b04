"""Who the function is to Azure OpenAI."""

import asyncio
import importlib
import logging
import os
import threading
import time
from typing import Any

REFRESH_AHEAD_SECONDS = 300.0  # azure-identity renews a managed identity's token in its last five minutes
REFRESH_PAUSE_SECONDS = 30.0  # between two attempts to renew a token that is still good
EXPIRY_MARGIN_SECONDS = 5.0  # a token must outlive its trip to Azure

log = logging.getLogger("azure_openai_proxy")


class Identity:
    """A token for Azure OpenAI: one fetch for any number of callers, renewed in the background before it expires,
    served as long as it is valid. (azure-identity alone asks once per concurrent caller, and fails in an outage of the
    identity endpoint while its token is still good.)

    In Azure the function's managed identity is asked, `client_id` naming a user-assigned one; elsewhere
    DefaultAzureCredential, that is `az login` and its like.
    """

    def __init__(self, scope: str, client_id: str | None = None) -> None:
        self.scope, self.client_id = scope, client_id
        self.credential: Any = None
        self.current: Any = None  # azure.core.credentials.AccessToken: token, expires_on in Unix seconds
        self.fetch: asyncio.Task[None] | None = None
        self.fetched_at = 0.0
        self.refused = False

    async def token(self) -> str:
        """Raises what azure-identity raises when there is none to be had."""
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
        return str(self.current.token)

    async def renew(self) -> None:
        self.current = await asyncio.to_thread(self.get_token)

    def get_token(self) -> Any:
        self.credential = self.credential or self.new_credential()
        try:
            return self.credential.get_token(self.scope)
        except Exception:
            self.credential = None  # MSAL remembers a refusal for a while, and repeats it without asking
            raise

    def new_credential(self) -> Any:
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        if "IDENTITY_ENDPOINT" in os.environ:
            return ManagedIdentityCredential(client_id=self.client_id)
        return DefaultAzureCredential()

    def distrust(self) -> None:
        """Azure refused the token: the next caller asks for a new one, in case a role was granted meanwhile. While
        there is none to be had, the old one goes on: it may not have been the token's fault."""
        if time.time() - self.fetched_at > REFRESH_PAUSE_SECONDS:
            self.credential, self.refused = None, True


def report_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("no token from the managed identity: %s", type(error).__name__)


# The first call needs it, and its 0.25 s fit beside what else happens while a function starts.
threading.Thread(target=importlib.import_module, args=("azure.identity",), daemon=True).start()
