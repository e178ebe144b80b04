"""Gets a token from azure-identity. In Azure the library asks for the function's managed identity; elsewhere it takes
the developer's sign-in, `az login` first of all.

We use its asyncio half, because an asyncio call can be cancelled: a thread that waits for a silent endpoint keeps the
process from ending. The asyncio half also reports the endpoint's own reason; the other half calls every refusal
"configuration not found". Both halves cost 0.1 s of import and 17 MB. This one sends with aiohttp, which the function
has anyway.
"""

import asyncio
import importlib
import logging
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

LIBRARY = "azure.identity.aio"
ENDPOINT, HEADER = "IDENTITY_ENDPOINT", "IDENTITY_HEADER"  # Functions sets both when the app has an identity
FETCH_SECONDS = 35.0  # for three attempts and their pauses; the library obeys every Retry-After
MANAGED: dict[str, Any] = {
    "connection_timeout": 10.0,
    "read_timeout": 10.0,  # the endpoint is on this machine, but asks Entra ID
    "retry_total": 2,  # of a failed connection, 408, 429 and 5xx: at once, then 1.5 s later
    "retry_backoff_factor": 0.75,
    "use_env_settings": False,  # the network's proxy cannot reach this machine, and must not see the header
}

# These loggers print each success, and each refusal with the whole answer, which may hold a token. NoTokenError has the
# reason.
logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
logging.getLogger("azure.core").setLevel(logging.WARNING)


class Token(NamedTuple):
    """An access token and when it expires, in seconds since 1970."""

    token: str
    expires_on: float


class NoTokenError(Exception):
    """No source gave a token. The message says why in one line, without a secret."""


async def new_token(scope: str, client_id: str | None) -> Token:
    """`scope` is like https://cognitiveservices.azure.com/.default, `client_id` names a user-assigned identity. Raises
    NoTokenError.

    Each call makes a new credential: a used one repeats a refusal that it remembers, gives out a token again that Azure
    refused, and hides a renewal that failed. Callers share the token through an Identity."""
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            await asyncio.to_thread(importlib.import_module, LIBRARY)  # loading.py may still be loading it
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
    return DefaultAzureCredential()  # it reads AZURE_CLIENT_ID itself


def reason(error: Exception) -> str:
    """The error without the endpoint's whole answer, which azure-core appends to its text: it may hold a token."""
    status = getattr(error, "status_code", None)
    told = getattr(error, "message", None) or str(error)
    return " ".join(f"{type(error).__name__}{f' (status {status})' if status else ''}: {told}".split())
