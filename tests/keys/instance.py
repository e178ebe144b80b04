"""The proxy in its host as one of several instances on an Azurite: `python -m tests.keys.instance`, with the options of
`python -m emulator.host`. No app setting leads to a table without a token, so this puts Azurite's in its place."""

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from emulator.host.command import main
from emulator.stack import ROOT
from proxy import accounts, keys, sharing
from proxy.budget import Budgets
from proxy.sharing import Sharing
from tests.keys.azurite import connector
from tests.keys.signing import SECRET

SCALE = 5  # an instance writes and reads its table so many times as fast as in Azure
WRITE, READ = sharing.WRITE_SECONDS / SCALE, sharing.READ_SECONDS / SCALE
CONNECTION, CLOCK = "TEST_CONNECTION", "TEST_CLOCK"


def serve() -> int:
    shift = float(os.environ[CLOCK])
    clock = lambda: time.time() + shift  # noqa: E731
    accounts.table_at = lambda url, tokens: connector(os.environ[CONNECTION])()
    accounts.Sharing = functools.partial(Sharing, write_seconds=WRITE, read_seconds=READ)  # type: ignore[misc, assignment]
    accounts.Budgets = functools.partial(Budgets, clock=clock)  # type: ignore[misc, assignment]
    keys.time = SimpleNamespace(time=clock)  # type: ignore[assignment]
    return main()


@dataclass
class Instance:
    base_url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def keys_url(self) -> str:
        return self.base_url.removesuffix("/v1") + "/keys/v1"


@contextmanager
def instance(
    base: str, identity: Mapping[str, str], connection_string: str, log: Path, shift: float = 0.0
) -> Iterator[Instance]:
    """An instance in front of the upstream at `base`. Its clock is `shift` seconds ahead."""
    environment = {
        **os.environ,
        **identity,
        "AZURE_OPENAI_BASE": base,
        "AZURE_OPENAI_DEPLOYMENT": "gpt-4o",
        "FUNCTION_HOST_KEY": "test-key",
        "PROXY_SIGNING_KEY": SECRET,
        "PROXY_USAGE_TABLE": "https://account.table.core.windows.net/usage",
        CONNECTION: connection_string,
        CLOCK: str(shift),
    }
    command = [
        sys.executable,
        "-m",
        "tests.keys.instance",
        "--json",
        "--until-stdin-closes",
        "--port",
        "0",
        "--verbose",
    ]
    with log.open("wb") as errors:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)  # type: ignore[call-overload]
    try:
        yield Instance(json.loads(process.stdout.readline())["base_url"], process, log)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


if __name__ == "__main__":
    sys.exit(serve())
