"""Keys for the tests, and a proxy that accepts them."""

import datetime
from typing import Any

from proxy.keys import Key, Keyring
from tests.support import Proxy

SECRET = "a-signing-key-for-tests-0123456789-abcdef"
OLDER = "an-older-one-for-tests-9876543210-fedcba"
TODAY = datetime.datetime.now(datetime.UTC).date()


def key(name: str = "Ada", **changes: Any) -> Key:
    return Key(**{"id": f"id-{name}", "name": name, "ends": TODAY, **changes})


def key_text(name: str = "Ada", secret: str = SECRET, **changes: Any) -> str:
    return Keyring((secret,)).make(key(name, **changes))


def keys_url(proxy: Proxy) -> str:
    return proxy.base_url.removesuffix("/v1") + "/keys/v1"
