"""Counts what each signed key has used, and knows which key owns each stored response."""

import functools
from collections.abc import Mapping
from typing import Any

from .budget import LIMITS, Budgets
from .charge import Charge
from .errors import ProxyError
from .estimate import estimated
from .keys import Key
from .limits import OUTPUT_LIMITS, values
from .model import Asked, Members
from .owners import Owners, named
from .settings import Settings
from .sharing import Sharing
from .tally import FIELDS
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
        """Reserves the call's estimate. Raises ProxyError where the call uses another key's response or a container's
        file, or limits no output that the key's budget needs limited; and OverBudget where nothing is left."""
        estimate = estimated(route, body, asked.members, self.budgets.usual_output(key))
        if not route.startswith(("responses", "containers")):
            return self.budgets.reserve(key, estimate)
        if route.startswith("containers"):
            raise ProxyError("container_owner_not_kept")
        if not self.owners:
            return self.budgets.reserve(key, estimate)
        before = named(path, asked.members)
        if estimate:
            if estimate.background and has_token_limit(key):
                require_output_limit(route, asked.members)
            estimate = estimate.with_input(self.history(key, before))
        charge = self.budgets.reserve(key, estimate)
        try:
            await self.owners.require(before, key)
        except BaseException:
            charge.drop()
            raise
        if route == "responses" and stores(asked.members):
            charge.note_id = functools.partial(self.owners.note, key)
        return charge

    def history(self, key: Key, response_ids: list[str]) -> int:
        """The tokens of the responses that a call continues: Azure counts them as its input. A response of another
        instance counts as the key's average input."""
        assert self.owners
        tokens = map(self.owners.tokens, response_ids)
        return sum(self.budgets.usual_input(key) if known is None else known for known in tokens)

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
            "today": {name: getattr(today, name) for name in FIELDS},
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


def has_token_limit(key: Key) -> bool:
    return key.tokens_a_day is not None or key.tokens_a_minute is not None


def require_output_limit(route: str, members: Members) -> None:
    """Azure tells the tokens of a response in the background later, to whoever asks for it. The proxy charges the limit
    of its output. Raises ProxyError where there is none."""
    names = OUTPUT_LIMITS.get(route, ())
    if not any(isinstance(value, float) and value >= 1 for value in values(members, *names)):
        raise ProxyError("background_needs_limit", param=next(iter(names), "background"))
