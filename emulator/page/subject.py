"""The running emulator that the control API shows and changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..azure import FakeAzure
from ..model import models_of
from ..stack import LocalStack
from .declared import Declared
from .feeds import Feeds
from .waiting import Waiting


@dataclass
class Subject:
    """`folders` hold the cassettes. `proxy` is the proxy's base URL, where there is a proxy. `told_of_recording` gives
    the progress of a recording, and None where nothing is recorded. `models` are those of Declared."""

    azure: FakeAzure
    folders: list[Path] = field(default_factory=list)
    proxy: str | None = None
    azure_base: str | None = None
    told_of_recording: Callable[[], dict[str, Any] | None] = lambda: None
    models: dict[str, str] = field(default_factory=dict)
    is_file: bool = False
    feeds: Feeds = field(default_factory=Feeds, init=False)
    waiting: Waiting = field(init=False)
    declared: Declared = field(init=False)

    @classmethod
    def of(cls, stack: LocalStack, folders: list[Path]) -> "Subject":
        """The subject for a running stack."""
        models = models_of(stack.settings()["AZURE_OPENAI_DEPLOYMENT"])
        return cls(stack.azure, folders, stack.base_url, stack.azure_base, stack.told, models)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.azure.journal)
        self.declared = Declared(self.azure, self.models)
