"""Where a token comes from: in Azure the function's managed identity, elsewhere `az login` and its like.

In Azure that is one GET (Microsoft Learn, "How to use managed identities for App Service and Azure Functions", REST
endpoint reference). azure-identity sends the same, but its import is 0.1 s of a cold start and 17 MB of every instance;
it is loaded where its chain of credentials is needed.
"""

import asyncio
import os
from contextlib import suppress
from typing import NamedTuple

import httpx

from .upstream import FAILURES, client

ENDPOINT, HEADER = "IDENTITY_ENDPOINT", "IDENTITY_HEADER"  # Functions sets both where an identity is assigned
ATTEMPT_SECONDS = 10.0  # it is on the same machine, and asks Entra ID
PAUSES_SECONDS = (0.5, 1.5)  # before the second and the third attempt


class Token(NamedTuple):
    """An access token and when it expires, in seconds since 1970."""

    token: str
    expires_on: float


async def new_token(scope: str, client_id: str | None) -> Token:
    """`scope` is like https://cognitiveservices.azure.com/.default, `client_id` names a user-assigned identity. Raises
    one of FAILURES or ValueError, and elsewhere than in Azure what azure-identity raises."""
    if ENDPOINT in os.environ and HEADER in os.environ:
        return await managed_identity_token(scope, client_id)
    return await asyncio.to_thread(chained_token, scope)


async def managed_identity_token(scope: str, client_id: str | None) -> Token:
    query = {"api-version": "2019-08-01", "resource": scope.removesuffix("/.default")}
    url = httpx.URL(os.environ[ENDPOINT]).copy_merge_params(query | ({"client_id": client_id} if client_id else {}))
    for pause in PAUSES_SECONDS:
        with suppress(*FAILURES):
            answer = await asked(url)
            if answer.status_code != 429 and answer.status_code < 500:
                break
        await asyncio.sleep(pause)
    else:
        answer = await asked(url)
    if not answer.is_success:
        raise ValueError(f"the identity endpoint answered {answer.status_code}: {answer.text[:300]!r}")
    try:
        told = answer.json()
        return Token(told["access_token"], float(told["expires_on"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("the identity endpoint sent no token") from error


async def asked(url: httpx.URL) -> httpx.Response:
    async with asyncio.timeout(ATTEMPT_SECONDS):
        return await client().send(httpx.Request("GET", url, headers={"x-identity-header": os.environ[HEADER]}))


def chained_token(scope: str) -> Token:
    """A new credential each time: a used one may remember a refusal, and repeat it without asking."""
    from azure.identity import DefaultAzureCredential

    with DefaultAzureCredential() as credential:
        found = credential.get_token(scope)
    return Token(found.token, found.expires_on)
