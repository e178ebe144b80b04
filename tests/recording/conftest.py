"""A second fake Azure, with cassettes of its own, stands in for the live service."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from openai import OpenAI

from emulator.azure import FakeAzure
from emulator.match.library import Library
from emulator.recording.stack import RecordingStack, Wish
from emulator.server import bind, serving
from emulator.stack import CASSETTES


@dataclass
class Live:
    """The live service's fake, and the environment of a user who may record it. `told` has the recorder's messages."""

    azure: FakeAzure
    env: dict[str, str]
    told: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def started(cls, folders: Sequence[Path] = (CASSETTES,), time_scale: float = 0.0) -> "Iterator[Live]":
        azure = FakeAzure(Library.from_folders(folders), time_scale)
        with serving(azure, bind(0)) as base:
            deployments = ",".join(azure.library.deployments())
            env = {"AZURE_OPENAI_BASE": base, "AZURE_OPENAI_DEPLOYMENT": deployments}
            yield cls(azure, env | {"AZURE_OPENAI_API_KEY": azure.api_key})

    def stack(self, folder: Path, wish: Wish, run: Path) -> RecordingStack:
        return RecordingStack([folder], wish, run, env=self.env, say=self.told.append)

    @contextmanager
    def recording(self, folder: Path, name: str, mode: str = "once", **wish: Any) -> Iterator[OpenAI]:
        """A client of the recording Azure, without the proxy. The recorder writes the cassette at the end."""
        with TemporaryDirectory() as run:
            stack = self.stack(folder, Wish(mode, **wish), Path(run))
            with client_of(stack) as client:
                stack.begin(name)
                yield client
                stack.finish()


@contextmanager
def client_of(stack: RecordingStack) -> Iterator[OpenAI]:
    headers = {"api-key": stack.azure.api_key}
    with (
        serving(stack.azure, bind(0)) as base,
        OpenAI(base_url=f"{base}/openai/v1", api_key="unused", default_headers=headers, max_retries=0) as client,
    ):
        try:
            yield client
        finally:
            stack.live.close()


@pytest.fixture
def live() -> Iterator[Live]:
    with Live.started() as live:
        yield live


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tapes").mkdir()
    return tmp_path / "tapes"
