"""Who is compared: how it is started in front of the upstream, and how it is called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .server import Server

ROOT = Path(__file__).resolve().parents[2]
CHAT = "/openai/v1/chat/completions"


@dataclass(frozen=True)
class Place:
    """Where a contender runs: its port, the upstream's, the settings of the fake identity, a folder of its own."""

    port: int
    upstream: int
    identity: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, eq=False)
class Contender:
    """`path` and `headers` are those of a chat completion; without a command it is the upstream itself."""

    name: str
    path: str = CHAT
    headers: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """Why it cannot run here; empty when it can."""
        return ""

    def command(self, place: Place) -> list[str | Path]:
        """What starts it; it may need files in the place's folder."""
        return []

    def environment(self, place: Place) -> dict[str, str]:
        return {}

    def headers_for(self, server: Server) -> Mapping[str, str]:
        """The headers to call it with, once it runs."""
        return self.headers
