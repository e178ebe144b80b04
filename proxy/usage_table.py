"""Rows in Azure Table Storage: each instance's counts, and the owner of each stored response.

    PartitionKey         RowKey       properties
    2026-11-28 <key id>  <instance>   name, requests, input_tokens, output_tokens, total_tokens, estimated,
                                      open_requests, reserved_tokens
    response <digest>    owner        key

Each key and day has a partition. One request reads it. It stays far below the 2,000 rows a second that a partition
gives (Microsoft Learn, "Scalability and performance targets for Table storage").
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .credential import new_token
from .tally import FIELDS, Counts, Tally

if TYPE_CHECKING:  # its import takes 0.2 s
    from azure.core.credentials import AccessToken
    from azure.data.tables.aio import TableClient

logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)  # two lines a request

SCOPE = "https://storage.azure.com/.default"
OPTIONS: dict[str, Any] = {"retry_total": 0}  # proxy/sharing.py tries again


class Tokens:
    """Gives the table's client its tokens, from the same source as those for Azure OpenAI. The tokens open storage and
    nothing else, whatever scope the table's host asks for."""

    def __init__(self, client_id: str | None) -> None:
        self.client_id = client_id

    async def get_token(self, *_: str, **__: Any) -> "AccessToken":
        from azure.core.credentials import AccessToken

        token = await new_token(SCOPE, self.client_id)
        return AccessToken(token.token, int(token.expires_on))


def table_at(url: str, tokens: Tokens) -> "TableClient":
    """`url` is like https://account.table.core.windows.net/usage. The client refuses to send a token over http."""
    from azure.data.tables.aio import TableClient

    return TableClient.from_table_url(url, credential=tokens, **OPTIONS)  # type: ignore[arg-type]


class UsageTable:
    """Every method may raise AzureError. `connect` makes the client; the first call loads it, in a thread."""

    def __init__(self, connect: "Callable[[], TableClient]") -> None:
        self.connect, self.instance = connect, uuid.uuid4().hex
        self.connecting: asyncio.Task[TableClient] | None = None

    async def client(self) -> "TableClient":
        if self.connecting is None:
            self.connecting = asyncio.create_task(asyncio.to_thread(self.connect))
        return await asyncio.shield(self.connecting)

    async def write(self, tally: Tally) -> None:
        from azure.data.tables import EdmType, UpdateMode

        counts = {name: (getattr(tally.own, name), EdmType.INT64) for name in FIELDS}
        row = {"PartitionKey": partition(tally), "RowKey": self.instance, "name": tally.key.name, **counts}
        await (await self.client()).upsert_entity(row, mode=UpdateMode.REPLACE)

    async def read(self, tally: Tally) -> tuple[Counts, Counts]:
        """This instance's counts, and all others' together."""
        own, others = Counts(), Counts()
        rows = (await self.client()).query_entities("PartitionKey eq @day", parameters={"day": partition(tally)})
        async for row in rows:
            counts = Counts(*(row[name].value if name in row else 0 for name in FIELDS))
            if row["RowKey"] == self.instance:
                own = counts
            else:
                others.add(counts)
        return own, others

    async def write_owner(self, digest: str, key_id: str) -> None:
        """Writes the first owner, and never replaces it."""
        from azure.core.exceptions import ResourceExistsError

        row = {"PartitionKey": f"response {digest}", "RowKey": "owner", "key": key_id}
        with suppress(ResourceExistsError):
            await (await self.client()).create_entity(row)

    async def owner(self, digest: str) -> str | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            row = await (await self.client()).get_entity(f"response {digest}", "owner")
        except ResourceNotFoundError as missing:
            if getattr(missing, "error_code", None) == "TableNotFound":
                raise
            return None
        return str(row["key"])


def partition(tally: Tally) -> str:
    return f"{tally.date} {tally.key.id}"
