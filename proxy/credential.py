"""Where a token comes from: azure-identity. In Azure it asks for the function's managed identity, elsewhere it takes
what a developer has, `az login` first of all.

Its asyncio half is used because such a call can be broken off: a thread that waits for a silent endpoint keeps the
process from ending. It also tells the endpoint's own reason; the other half calls every refusal "configuration not
found". Both cost 0.1 s of import and 17 MB. This one sends with aiohttp, which the function has anyway.
"""

import asyncio
import importlib
import logging
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

LIBRARY = "azure.identity.aio"
ENDPOINT, HEADER = "IDENTITY_ENDPOINT", "IDENTITY_HEADER"  # Functions sets both where an identity is assigned
FETCH_SECONDS = 35.0  # three attempts and their pauses; the library waits as long as a Retry-After says
MANAGED: dict[str, Any] = {
    "connection_timeout": 10.0,
    "read_timeout": 10.0,  # the endpoint is on the same machine, and asks Entra ID
    "retry_total": 2,  # after a failed connection, 408, 429 and 5xx: at once, then 1.5 s later
    "retry_backoff_factor": 0.75,
    "use_env_settings": False,  # a proxy of the network does not reach this machine, and must not see the header
}

# They log each success, and each refusal with the whole answer, which may have a token. NoTokenError says what matters.
logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
logging.getLogger("azure.core").setLevel(logging.WARNING)


class Token(NamedTuple):
    """An access token and when it expires, in seconds since 1970."""

    token: str
    expires_on: float


class NoTokenError(Exception):
    """There is no token to be had. The message says why in one line, without a secret."""


async def new_token(scope: str, client_id: str | None) -> Token:
    """`scope` is like https://cognitiveservices.azure.com/.default, `client_id` names a user-assigned identity. Raises
    NoTokenError.

    Its credential is new each time: a used one repeats a refusal that it remembers, gives out a token again that Azure
    refused, and hides a renewal that failed. What all callers share is an Identity."""
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            await asyncio.to_thread(importlib.import_module, LIBRARY)  # loading.py may not be done yet
            async with credential(client_id) as asked:
                found = await asked.get_token(scope)
    except TimeoutError as error:
        raise NoTokenError(f"no answer within {FETCH_SECONDS:g} s") from error
    except Exception as error:
        raise NoTokenError(reason(error)) from error
    return Token(found.token, float(found.expires_on))


def credential(client_id: str | None) -> "ManagedIdentityCredential | DefaultAzureCredential":
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

    if os.environ.get(ENDPOINT) and os.environ.get(HEADER):
        return ManagedIdentityCredential(client_id=client_id, **MANAGED)
    return DefaultAzureCredential()  # which reads AZURE_CLIENT_ID itself


def reason(error: Exception) -> str:
    """Without the whole answer, with which the `str` of azure-core's errors ends: it may have a token."""
    status = getattr(error, "status_code", None)
    told = getattr(error, "message", None) or str(error)
    return " ".join(f"{type(error).__name__}{f' (status {status})' if status else ''}: {told}".split())
