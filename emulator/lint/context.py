"""What recordings are held against: real ones, Azure's OpenAPI descriptions, what tests played."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..bundle import ROOT
from .finding import Finding
from .openapi import Descriptions
from .tapes import Tapes

BESIDE = ROOT.parent / "shared"  # where a checkout may have neighbours


@dataclass(frozen=True)
class Context:
    """`real` are recordings of live services; None means: not at hand."""

    real: Tapes | None = None
    descriptions: Descriptions | None = None
    played: frozenset[str] | None = None


Check = Callable[[Tapes, Context], Iterator[Finding]]


def default_folder(variable: str, name: str) -> Path | None:
    """The folder that an environment variable names, else the checkout's neighbour of this name, if there is one."""
    folder = Path(os.environ.get(variable) or BESIDE / name)
    return folder if folder.is_dir() else None
