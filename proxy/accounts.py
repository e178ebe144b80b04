"""Counts what each signed key has used, and knows which key owns each stored response."""

import functools
from collections.abc import Mapping
from typing import Any

from .budget import LIMITS, Budgets
from .charge import Charge
from .estimate import estimated
from .keys import Key
from .limits import values
from .model import Asked, Members
from .owners import Owners, named
from .settings import Settings
from .sharing import Sharing
from .usage_table import Tokens, UsageTable, table_at


class Accounts:
    """The instances share their counts where PROXY_USAGE_TABLE names a table. Without a table each instance counts for
    itself, and no key may store responses."""

    def __init__(self, settings: Settings) -> None:
        self.sharing: Sharing | None = None
        self.owners: Owners | None = None
        if settings.usage_table:
            tokens = Tokens(settings.client_id)
            table = UsageTable(functools.partial(table_at, settings.usage_table, tokens))
            self.sharing, self.owners = Sharing(table), Owners(table)
        self.budgets = Budgets(self.sharing)

    async def charge(self, key: Key, route: str, path: Mapping[str, str], body: bytes, asked: Asked) -> Charge:
        """Reserves the call's estimate. Raises ProxyError where the call uses another key's response, and OverBudget
        where nothing is left."""
        if self.owners and route.startswith("responses"):
            await self.owners.require(named(path, asked.members), key)
        estimate = estimated(route, body, asked.members, self.budgets.usual_output(key))
        charge = self.budgets.reserve(key, estimate)
        if self.owners and route == "responses" and stores(asked.members):
            charge.note_id = functools.partial(self.owners.note, key=key)
        return charge

    def usage(self, key: Key) -> dict[str, Any]:
        """What `GET usage` tells a key about itself."""
        tally = self.budgets.tally(key)
        today = tally.own.both(tally.others)
        return {
            "object": "usage",
            "key": {
                "id": key.id,
                "name": key.name,
                "ends": key.ends and key.ends.isoformat(),
                "models": key.models or None,
            },
            "day": tally.date.isoformat(),
            "starts_anew": self.budgets.tomorrow().isoformat().replace("+00:00", "Z"),
            "today": {name: getattr(today, name) for name in today.__struct_fields__},
            "limits": {limit.field: getattr(key, limit.field) for limit in LIMITS},
            "left": self.budgets.left(key),
            "counted": self.counted(tally.read_at is not None),
        }

    def counted(self, others_are_known: bool) -> str:
        if not self.sharing:
            return "this instance alone"
        return "all instances" if others_are_known else "this instance so far: ask again in a moment"


def stores(members: Members) -> bool:
    """Azure stores a response unless the call says `"store": false`."""
    named = values(members, "store")
    return not named or any(value is not False for value in named)
