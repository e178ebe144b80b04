"""The stack on free loopback ports: the fake Azure in this process, the proxy in a Functions host of its own.

    with LocalStack() as stack:
        OpenAI(base_url=stack.base_url, api_key="unused", default_headers={"x-functions-key": stack.function_key})

The host is a process of its own because the function reads its settings, as in Azure, from the environment at start.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any, ClassVar

from . import deployment
from .azure import FakeAzure, stopped
from .azure.app import IDENTITY_PATH
from .bundle import CASSETTES, PACKAGE, ROOT
from .match.library import Library
from .match.slack import NONE, Slack
from .server import LOOPBACK, bind, serving

START_SECONDS = 60.0  # a cold machine imports for a while
STOP_SECONDS = 5.0
CAN_PEEK = hasattr(os, "set_blocking")  # into a pipe; on Windows since Python 3.12
NOT_INHERITED = (
    "AZURE_",
    "IDENTITY_",
    "MSI_",
    "OPENAI_",
    "PROXY_",
    "FUNCTION_HOST_KEY",
)  # settings of some other deployment


class HostFailed(Exception):
    """The Functions host did not start. It wrote the reason to standard error."""


class LocalStack:
    """A context manager. `azure` is the fake Azure itself (its journal, identity and library), made from the cassettes
    unless given; `slack` is what may vary in requests for them; `settings` override the function's app settings;
    `time_scale` is how many times faster than recorded streams are replayed, 0 for at once; `host` is the proxy's
    address, the fake Azure stays on loopback; `any_key`: the proxy's host lets in whoever shows a key; `notes_stopped`:
    the journal has the calls, too, that end at the proxy with an error."""

    def __init__(
        self,
        cassettes: Iterable[Path] = (CASSETTES,),
        *,
        settings: Mapping[str, str] | None = None,
        function_key: str | None = None,
        port: int = 0,
        host: str = LOOPBACK,
        time_scale: float = 0.0,
        library: Library | None = None,
        slack: Slack = NONE,
        backend: str | None = None,
        azure: FakeAzure | None = None,
        any_key: bool = False,
        notes_stopped: bool = False,
    ) -> None:
        library = (
            library
            if library is not None
            else Library.from_folders(cassettes, slack)
            if azure is None
            else azure.library
        )
        self.azure = azure or FakeAzure(library, time_scale)
        self.library = library
        self.function_key = function_key or secrets.token_urlsafe(24)
        self.base_url = self.azure_base = self.identity_endpoint = ""
        self._settings, self._port, self._address, self._backend = dict(settings or {}), port, host, backend
        self._any_key, self._notes_stopped = any_key, notes_stopped
        self._exit = ExitStack()
        self._host: HostProcess | None = None

    @property
    def identity_header(self) -> str:
        return self.azure.identity.header

    def unanswered(self) -> list[str]:
        """The calls since the last look that Azure would never answer, or would leave open: a line for each."""
        return self._host.unanswered() if self._host else []

    def told(self) -> dict[str, Any] | None:
        """What a recording has come to so far; None where nothing is recorded."""
        return None

    def settings(self) -> dict[str, str]:
        """The function's app settings: the fake Azure's address, and the caller's settings."""
        return {
            "AZURE_OPENAI_BASE": self.azure_base,
            "AZURE_OPENAI_DEPLOYMENT": ",".join(deployment.served(self.library)) or "gpt-4o-mini",
            "IDENTITY_ENDPOINT": self.identity_endpoint,
            "IDENTITY_HEADER": self.identity_header,
        } | {name: value for name, value in self._settings.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """The values that another process needs to use the stack."""
        return {
            "base_url": self.base_url,
            "function_key": self.function_key,
            "azure_base": self.azure_base,
            "identity_endpoint": self.identity_endpoint,
            "identity_header": self.identity_header,
            "pid": os.getpid(),
        }

    def __enter__(self) -> "LocalStack":
        with ExitStack() as starting:
            self.azure_base = starting.enter_context(serving(self.azure, bind(0)))
            self.identity_endpoint = f"{self.azure_base}{IDENTITY_PATH}"
            environment = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
            environment |= self.settings() | {"FUNCTION_HOST_KEY": self.function_key}
            self._host = starting.enter_context(
                HostProcess(
                    environment,
                    self._port,
                    self._backend,
                    host=self._address,
                    any_key=self._any_key,
                    stopped=partial(stopped.note, self.azure.journal) if self._notes_stopped else None,
                )
            )
            self.base_url = self._host.base_url
            self._exit = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()


class HostProcess:
    """`emulator.host` as a child that ends with its parent, because it watches its standard input. `log` takes its
    standard error, which by default is the parent's. `stopped` is called, in a thread, with what the host tells of each
    call that ends with an error (host/calls.py)."""

    launch: ClassVar[Callable[..., "subprocess.Popen[bytes]"]] = subprocess.Popen
    """The project's own tests have a quicker start."""

    def __init__(
        self,
        environment: Mapping[str, str],
        port: int,
        backend: str | None = None,
        verbose: bool = False,
        log: IO[bytes] | None = None,
        host: str = LOOPBACK,
        any_key: bool = False,
        stopped: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        command = [sys.executable, "-m", f"{PACKAGE}.host", "--json", "--until-stdin-closes"]
        command += ["--port", str(port), "--host", host]
        command += ["--backend", backend] if backend else []
        command += ["--verbose"] if verbose else []
        command += ["--any-key"] if any_key else []
        command += ["--tell-of-calls"] if stopped else []
        self.process = self.launch(
            command,
            cwd=ROOT,  # only there it finds the proxy's code
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
        )
        self.base_url = ""
        self._stopped, self._unanswered = stopped, list[str]()
        self._reader: threading.Thread | None = None

    def __enter__(self) -> "HostProcess":
        assert self.process.stdout is not None
        line = self.process.stdout.readline()  # the end of the process ends the wait, too
        if not line:
            self.__exit__()
            raise HostFailed("The Functions host did not start. It wrote the reason to standard error.")
        self.base_url = json.loads(line)["base_url"]
        if self._stopped:
            self._reader = threading.Thread(target=self._listen, args=(self.process.stdout, self._stopped), daemon=True)
            self._reader.start()
        elif CAN_PEEK:
            os.set_blocking(self.process.stdout.fileno(), False)
        return self

    def _listen(self, pipe: IO[bytes], stopped: Callable[[dict[str, Any]], None]) -> None:
        for line in pipe:
            told = json.loads(line)
            if "call" in told:
                stopped(told)
            else:
                self._unanswered.append(told["unanswered"])

    def unanswered(self) -> list[str]:
        """See LocalStack.unanswered. A line is written before its call is answered."""
        assert self.process.stdout is not None
        if self._reader:
            told_already, self._unanswered = self._unanswered, []
            return told_already
        told = self.process.stdout.read() if CAN_PEEK else b""
        return [json.loads(line)["unanswered"] for line in (told or b"").splitlines()]

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._reader:
            self._reader.join(STOP_SECONDS)
        self.process.stdout.close()
