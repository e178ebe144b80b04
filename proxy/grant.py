"""What a caller may. Those with a function key may all that the settings allow; a signed key may say less."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded only where there are signed keys
    from .accounts import Accounts
    from .keys import Key


@dataclass(frozen=True)
class Grant:
    """`deployments` maps the models that may be asked to their deployments, the default first; `allow_store`: whether
    Azure may keep something; `key` is a signed one, and `accounts` has what it used."""

    deployments: Mapping[str, str]
    allow_store: bool
    key: "Key | None" = None
    accounts: "Accounts | None" = None
