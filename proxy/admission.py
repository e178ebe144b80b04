"""Checks a signed key. The host lets everybody through to these functions; the check comes before the body is read."""

import functools
from collections.abc import Mapping

from starlette.requests import Request

from .accounts import Accounts
from .grant import Grant
from .keys import KNOWN, Allowed, Key, Keyring, given_key
from .record import Record
from .settings import Settings


class Admission:
    """Gives each caller the grant of its key; the record gets the key's name. Raises ProxyError."""

    def __init__(self, settings: Settings) -> None:
        self.keyring = Keyring(settings.signing_keys, settings.revoked_keys)
        self.served: Mapping[str, str] = settings.deployments
        self.grant_of = functools.lru_cache(KNOWN)(self.grant)  # one grant for each key
        self.accounts = Accounts(settings)
        self.allow_store = settings.allow_store and self.accounts.owners is not None

    def __call__(self, request: Request, record: Record) -> Grant:
        record.fields.key = None  # the host has not checked this function key
        key = self.keyring.read(given_key(request.headers.raw))
        record.fields.key = key.name
        self.keyring.require_good(key)
        return self.grant_of(key)

    def grant(self, key: Key) -> Grant:
        """Without a record of the owners of stored responses, Azure keeps nothing for a signed key: anybody who knows
        the id could read a response."""
        allowed = Allowed(self.served, key.models) if key.models else self.served
        return Grant(allowed, self.allow_store, key, self.accounts)
