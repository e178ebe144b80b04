"""The models that an improvised service lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...tape.interaction import Response
from .. import stored
from ..asked import Asked
from ..seed import CREATED
from .refusal import Refused


@dataclass(frozen=True)
class Models:
    """`names` are the models that exist. Where it is empty, every model exists."""

    names: tuple[str, ...] = ()

    def makers(self) -> Mapping[str, Callable[[Asked], Response]]:
        return {"GET models": self._all, "GET models/{id}": self._one}

    def _all(self, asked: Asked) -> Response:
        return stored.answer(asked, {"object": "list", "data": [_entry(name) for name in self.names]})

    def _one(self, asked: Asked) -> Response:
        name = asked.operation.removeprefix("models/")
        if self.names and name not in self.names:
            raise Refused(f"The model '{name}' does not exist.", "model", "model_not_found", 404)
        return stored.answer(asked, _entry(name))


def _entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "azure-openai"}
