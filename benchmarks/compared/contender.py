"""A contender: how to start it in front of the upstream, and how to call it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .server import Server

ROOT = Path(__file__).resolve().parents[2]
CHAT = "/openai/v1/chat/completions"


@dataclass(frozen=True)
class Place:
    """A contender's place: its port, the upstream's port, the settings of the fake identity, a folder of its own."""

    port: int
    upstream: int
    identity: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, eq=False)
class Contender:
    """`path` and `headers` belong to a chat completion. A contender without a command is the upstream itself."""

    name: str
    path: str = CHAT
    headers: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """Why the contender cannot run here; "" when it can."""
        return ""

    def command(self, place: Place) -> list[str | Path]:
        """The command that starts it. It may write files into the place's folder."""
        return []

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def headers_for(self, server: Server) -> Mapping[str, str]:
        """The headers for calls, once the contender runs."""
        return self.headers
