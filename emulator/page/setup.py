"""The route of the setup: texts to copy that call the running proxy. They hold no key."""

from typing import Any

from ..usage import ways_to_call
from .asked import Asked
from .subject import Subject


def read(subject: Subject, _: Asked) -> dict[str, Any]:
    """The texts name a variable for the key, because they may stand on a projector."""
    ways = ways_to_call(subject.azure.library, subject.proxy, subject.models) if subject.proxy else {}
    return {
        "proxy": subject.proxy,
        "azure": subject.azure_base,
        "ways": [{"name": name, "text": text} for name, text in ways.items()],
    }
