"""The live service behind a recording: Azure OpenAI, called with the credential of the person who records."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..failure import UsageError

SCOPE = "https://cognitiveservices.azure.com/.default"
READ_SECONDS = 225.0  # as the proxy waits
CLOSE_SECONDS = 5.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
NOT_SENT = frozenset(
    {"host", "authorization", "api-key", "accept-encoding", "content-length", "transfer-encoding"}
    | {"connection", "keep-alive", "te", "upgrade"}
)
EMULATOR_ONLY = "openai-emulator-"


class LiveError(UsageError):
    """The live service cannot be used. The message names the missing setting or sign-in."""


class Live:
    """`base` is AZURE_OPENAI_BASE. The credential is `api_key`, or else azure-identity's (`az login`)."""

    def __init__(self, base: str, api_key: str | None = None, scope: str = SCOPE) -> None:
        self.base, self.api_key, self.scope = base.rstrip("/"), api_key, scope
        self._credential: Any = None
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Live":
        """Reads AZURE_OPENAI_BASE, and AZURE_OPENAI_API_KEY if it is set. Raises LiveError."""
        base = env.get("AZURE_OPENAI_BASE", "").strip()
        url = urlsplit(base)
        if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)):
            raise LiveError(
                "To record, set AZURE_OPENAI_BASE to the live resource, like https://my-resource.openai.azure.com, and "
                "AZURE_OPENAI_DEPLOYMENT to a deployment there."
            )
        return cls(base, env.get("AZURE_OPENAI_API_KEY") or None, env.get("AZURE_OPENAI_SCOPE") or SCOPE)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.api_key,) if self.api_key else ()

    async def ask(self, method: str, target: str, headers: Any, body: bytes) -> httpx.Response:
        """The answer up to the end of its headers. `target` is path and query. Asks for no compression, so that people
        can read the cassette. Raises httpx.HTTPError, and LiveError when there is no credential."""
        kept = [
            (name, value)
            for name, value in headers
            if name.lower() not in NOT_SENT and not name.lower().startswith(EMULATOR_ONLY)
        ]
        key = ("api-key", self.api_key) if self.api_key else await asyncio.to_thread(self._authorization)
        kept += [("accept-encoding", "identity"), key]
        if self._client is None:
            self._loop = asyncio.get_running_loop()
            self._client = httpx.AsyncClient(timeout=httpx.Timeout(READ_SECONDS, connect=10.0))
        request = httpx.Request(method, self.base + target, headers=kept, content=body)
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        if self._client:
            await self._client.aclose()
            self._client = None

    def close(self) -> None:
        """Closes the connections. Call it from another thread, while the event loop of `ask` still runs."""
        if self._client and self._loop:
            asyncio.run_coroutine_threadsafe(self.aclose(), self._loop).result(CLOSE_SECONDS)

    def check_credential(self) -> None:
        """Raises LiveError when there is no credential. Call it before the first request."""
        self._authorization()

    def _authorization(self) -> tuple[str, str]:
        if self.api_key:
            return "api-key", self.api_key
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import CredentialUnavailableError, DefaultAzureCredential

        self._credential = self._credential or DefaultAzureCredential()
        try:
            return "authorization", f"Bearer {self._credential.get_token(self.scope).token}"
        except (ClientAuthenticationError, CredentialUnavailableError) as error:
            raise LiveError(
                "There is no credential for the live resource: sign in with `az login` (your account needs the role "
                "Cognitive Services OpenAI User on it), or set AZURE_OPENAI_API_KEY."
            ) from error


def pause_of(answer: httpx.Response) -> float:
    """The seconds that Azure asks to wait, from `retry-after-ms` or `retry-after`; 10 when it names none."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        told = answer.headers.get(name, "")
        if told.replace(".", "", 1).isdigit():
            return float(told) / unit
    return 10.0
