"""Another project, with tests of its own, and an environment that has never seen this repository."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.stack import ROOT
from emulator.tape import cassette
from emulator.tape.cassette import Interaction
from tests.support import recording
from tests.trust import trusting

ALONE = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"  # other plugins cost a second a run
INDEX = "the network: pip reaches no index"
OURS = (
    *("AZURE_", "IDENTITY_", "OPENAI_", "PROXY_", "FUNCTION_", "EMULATOR_", "AOAI_"),
    *("PYTEST_", "PYTHONPATH", "CI", "DSPY_", "LITELLM_"),
)
ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Is anybody there?"}]}
ANSWERED = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini-2024-07-18","choices":'
    b'[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Yes."}}],'
    b'"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}'
)
TEST = f"""
def test_somebody_is_there(openai_client):
    answer = openai_client.chat.completions.create(**{ASKED!r})
    assert answer.choices[0].message.content == "Yes."
"""


def one_recording() -> Interaction:
    return recording(json.dumps(ASKED).encode(), ANSWERED)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process without our own settings, and with `more`."""
    return trusting({name: value for name, value in os.environ.items() if not name.startswith(OURS)}) | dict(more or {})


def one_stream() -> Interaction:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-4o-mini"}
    pieces = [chunk | {"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("Yes", ", I", " am.")]
    frames = "".join(f"data: {text}\n\n" for text in [*map(json.dumps, pieces), "[DONE]"])
    return recording(json.dumps(ASKED | {"stream": True}).encode(), frames.encode(), sse=True)


@dataclass(frozen=True)
class Project:
    """A folder with tests. `python` runs them. Their environment has `settings`, and none of our own."""

    folder: Path
    python: str = sys.executable
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_the_checkout(cls, folder: Path) -> "Project":
        """A project with the checkout's plugin. pytest loads it before any conftest.py, like an installed one."""
        settings = {"PYTHONPATH": str(ROOT), "PYTEST_PLUGINS": "emulator.pytest_plugin", ALONE: "1"}
        return cls(folder, settings=settings)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def record(self, name: str = "tests/cassettes/hello.yaml", *interactions: Interaction) -> None:
        cassette.save(self.folder / name, interactions or [one_recording()], {})

    @property
    def cassettes(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.yaml"))

    def run(self, *arguments: str, timeout: float = 100, **more: str) -> tuple[int, str]:
        """Runs `python …` in the folder. Gives (exit status, output)."""
        command = [self.python, *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment({**self.settings, **more}),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout + done.stderr

    def pytest(self, *arguments: str, **more: str) -> tuple[int, str]:
        return self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, **more)

    @contextmanager
    def started(self, *command: str, **more: str) -> "Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]":
        """Runs a command with --json. Yields its first line and its process."""
        env = environment({**self.settings, **more})
        with subprocess.Popen(
            [*command, "--json"], cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                yield json.loads(line), process
            finally:
                process.terminate()
                process.communicate(timeout=30)


def pip(python: str | Path, *arguments: str | Path) -> None:
    done = subprocess.run(
        [str(python), "-m", "pip", *map(str, arguments)], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def reaches_an_index(folder: Path) -> bool:
    """Whether pip can download the package that builds the wheel."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "1", "-d", str(folder)]
    return not subprocess.run([*command, "hatchling"], env=environment(), capture_output=True).returncode
