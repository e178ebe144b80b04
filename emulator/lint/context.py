"""The material to compare recordings with: real recordings, Azure's OpenAPI descriptions, and what tests played."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..bundle import ROOT
from .finding import Finding
from .openapi import Descriptions
from .tapes import Tapes

BESIDE = ROOT.parent / "shared"  # a folder that may be beside the checkout


@dataclass(frozen=True)
class Context:
    """`real` are recordings of live services. None means that something is not available."""

    real: Tapes | None = None
    descriptions: Descriptions | None = None
    played: frozenset[str] | None = None


Check = Callable[[Tapes, Context], Iterator[Finding]]


def default_folder(variable: str, name: str) -> Path | None:
    """The folder that an environment variable names, else a folder of this name beside the checkout, if it exists."""
    folder = Path(os.environ.get(variable) or BESIDE / name)
    return folder if folder.is_dir() else None
