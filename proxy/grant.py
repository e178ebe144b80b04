"""Says what a caller may do. A function key allows all that the settings allow; a signed key may allow less."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the function imports these only with signed keys
    from .accounts import Accounts
    from .keys import Key


@dataclass(frozen=True)
class Grant:
    """`deployments` maps the allowed models to their deployments, the default first; `allow_store`: whether Azure may
    store a response; `key` is the signed key, and `accounts` counts what it used."""

    deployments: Mapping[str, str]
    allow_store: bool
    key: "Key | None" = None
    accounts: "Accounts | None" = None
