"""How to call what runs here, for somebody who has not yet: to copy, without a key in it."""

from typing import Any

from ..usage import ways_to_call
from .asked import Asked
from .subject import Subject


def read(subject: Subject, _: Asked) -> dict[str, Any]:
    """The key is a variable: whoever started this has seen it, and a projector shows this."""
    ways = ways_to_call(subject.azure.library, subject.proxy, subject.models) if subject.proxy else {}
    return {
        "proxy": subject.proxy,
        "azure": subject.azure_base,
        "ways": [{"name": name, "text": text} for name, text in ways.items()],
    }
