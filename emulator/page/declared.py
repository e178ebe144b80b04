"""The stubs that a test of any language declares over HTTP (docs/stubs.md)."""

import threading
from collections.abc import Mapping
from typing import Any

from ..azure import FakeAzure
from ..synthetic.stubs import Stub, StubError, Stubs
from .refusal import Refusal, invalid_control

MOST = 1_000


class Declared:
    """The stubs answer in order, before the recordings, until a reset. Without stubs they cost a call nothing.
    `models` maps deployments to the names that the proxy's callers use; it is empty where there is no proxy."""

    def __init__(self, azure: FakeAzure, models: Mapping[str, str]) -> None:
        self._azure, self._stubs = azure, Stubs(models)
        self._deployments = frozenset[str]()  # those that exist because of a stub
        self._lock = threading.Lock()

    def add(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Declares the stub and gives its JSON. Raises Refusal."""
        try:
            stub = Stub.from_json(dict(told))
        except (StubError, RecursionError) as error:
            raise invalid_control(str(error)) from error
        with self._lock:
            declared = self._stubs.declared
            if len(declared) >= MOST:
                raise Refusal(409, "too_many_stubs", f"There are {MOST:,} stubs already; POST reset removes them.")
            self._let_exist(stub)
            declared.append(stub)
            if self._stubs not in self._azure.before:
                self._stubs.join(self._azure)
            return _told(len(declared), stub)

    def _let_exist(self, stub: Stub) -> None:
        """Makes the deployments exist that the proxy serves, recorded or not. Raises Refusal where the stub's model is
        none of them."""
        models, asked = self._stubs.models, stub.condition.model
        known = {*models, *models.values(), *self._azure.deployments}
        if models and asked and asked not in known:
            served = ", ".join(sorted(known))
            message = f"The proxy does not serve {asked!r}; it serves {served}. AZURE_OPENAI_DEPLOYMENT adds others."
            raise invalid_control(message, "when")
        if self._azure.deployments:
            more = frozenset({*models, *([asked] if asked and not models else [])}) - self._azure.deployments
            self._deployments |= more
            self._azure.deployments |= more

    def clear(self) -> None:
        with self._lock:
            self._stubs.declared.clear()
            self._azure.deployments -= self._deployments
            self._deployments = frozenset()
            if self._stubs in self._azure.before:
                self._stubs.leave(self._azure)

    def told(self) -> list[dict[str, Any]]:
        return [_told(number, stub) for number, stub in enumerate(self._stubs.declared, 1)]


def _told(number: int, stub: Stub) -> dict[str, Any]:
    """The stub's JSON. `calls` are the numbers of the calls that it answered."""
    calls = [exchange.number for exchange in stub.requests]
    return {"number": number, **stub.as_json(), "answered": stub.answered, "used": stub.is_used, "calls": calls}
