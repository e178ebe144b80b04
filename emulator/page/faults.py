"""The route of the faults. It reads the fake Azure's own tables, so a form that is built from it stays right."""

from collections.abc import Iterable
from typing import Any

from ..azure import faults, identity
from ..azure.errors import ERRORS
from .asked import Asked
from .subject import Subject

CHOICES = {"retry": [*faults.RETRY]}


def listed(_: Subject, __: Asked) -> dict[str, Any]:
    network = [
        _told(name, "network", kind.about, (*kind.arguments, *faults.COMMON), kind.streams_only)
        for name, kind in faults.FAULTS.items()
    ]
    azure = [
        _told(name, "azure", f"Azure answers {error.status}", ("retry", *faults.COMMON))
        for name, error in ERRORS.items()
    ]
    tokens = [_told(name, "identity", "no token, or a bad one", ()) for name in identity.FAULTS]
    return {"faults": [*network, *azure, *tokens]}


def _told(name: str, kind: str, about: str, arguments: Iterable[str], streams_only: bool = False) -> dict[str, Any]:
    told = [{"name": one, "type": faults.TYPES[one].__name__, "choices": CHOICES.get(one)} for one in arguments]
    return {"name": name, "kind": kind, "about": about, "arguments": told, "streams_only": streams_only}
