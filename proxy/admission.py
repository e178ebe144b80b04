"""Checks a signed key before the proxy reads the body. The host lets every caller through to these functions."""

import functools
from collections.abc import Mapping

from starlette.requests import Request

from .accounts import Accounts
from .grant import Grant
from .keys import KNOWN, Allowed, Key, Keyring, given_key
from .record import Record
from .settings import Settings


class Admission:
    """Gives each caller the grant of its key, and the record the key's name. Raises ProxyError."""

    def __init__(self, settings: Settings) -> None:
        self.keyring = Keyring(settings.signing_keys, settings.revoked_keys)
        self.served: Mapping[str, str] = settings.deployments
        self.grant_of = functools.lru_cache(KNOWN)(self.grant)  # one grant for each key
        self.accounts = Accounts(settings)
        self.allow_store = settings.allow_store and self.accounts.owners is not None

    def __call__(self, request: Request, record: Record) -> Grant:
        record.fields.key = None  # the host has not checked this function key
        key = self.keyring.read(given_key(record.caller_headers))
        record.fields.key = key.name
        self.keyring.require_good(key)
        return self.grant_of(key)

    def grant(self, key: Key) -> Grant:
        """What the key allows. Azure stores nothing for a signed key where no table keeps the owners of responses:
        anybody who knows the id could read a response."""
        allowed = Allowed(self.served, key.models) if key.models else self.served
        return Grant(allowed, self.allow_store, key, self.accounts)
