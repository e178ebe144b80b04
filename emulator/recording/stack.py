"""The local stack with the live service behind it, for `python -m emulator record` and `--record-mode`.

Settings come from the environment. AZURE_OPENAI_BASE names the resource, and AZURE_OPENAI_DEPLOYMENT the deployments.
The credential is AZURE_OPENAI_API_KEY, or else the one that azure-identity finds (`az login`).
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..match.library import Library
from ..match.slack import NONE, Slack
from ..scrub.scrub import Known
from ..server import LOOPBACK
from ..stack import LocalStack
from .budget import Budget
from .live import Live, LiveError
from .recorder import Recorder
from .relay import RecordingAzure
from .run import Run
from .sharing import SharingAzure

FROM_ENVIRONMENT = ("AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_VERSION")


@dataclass(frozen=True)
class Wish:
    """What to record. `mode` is one of mode.MODES. `errors` also keeps answers from status 400 on. `share` gives an
    answer to everybody who asks the same from then on."""

    mode: str = "none"
    errors: bool = False
    budget: Budget = field(default_factory=Budget)
    share: bool = False

    @property
    def live(self) -> bool:
        return self.mode != "none"


class RecordingStack(LocalStack):
    """A LocalStack whose `recorder` keeps live answers; cassettes go to the first of the `folders`. `slack` is the
    project's. Raises LiveError when the environment does not name a live service."""

    def __init__(
        self,
        folders: list[Path],
        wish: Wish,
        run: Path,
        *,
        env: Mapping[str, str] = os.environ,
        settings: Mapping[str, str] | None = None,
        function_key: str | None = None,
        port: int = 0,
        host: str = LOOPBACK,
        time_scale: float = 0.0,
        slack: Slack = NONE,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.live = live = Live.from_env(env)
        if not env.get("AZURE_OPENAI_DEPLOYMENT"):
            raise LiveError("To record, set AZURE_OPENAI_DEPLOYMENT to a deployment of the live resource.")
        function_key = function_key or secrets.token_urlsafe(24)
        known = Known.from_env(live.base, env, function_key, *live.secrets)
        notes: dict[str, Any] = {"api_version": env.get("AZURE_OPENAI_API_VERSION") or "v1"}
        self.recorder = Recorder(
            folders[0],
            wish.mode,
            known,
            Run(run, wish.budget),
            keep_errors=wish.errors,
            notes=notes,
            slack=slack,
            say=say,
        )
        kind = SharingAzure if wish.share else RecordingAzure
        azure = kind(Library.from_folders(folders, slack), self.recorder, live, time_scale)
        self.sharing = azure if isinstance(azure, SharingAzure) else None
        inherited = {name: env[name] for name in FROM_ENVIRONMENT if env.get(name)}
        super().__init__(
            settings=inherited | dict(settings or {}), function_key=function_key, port=port, host=host, azure=azure
        )

    def __exit__(self, *error: object) -> None:
        self.live.close()
        super().__exit__(*error)

    def begin(self, name: str, about: str = "") -> None:
        self.recorder.begin(name, about)
        if self.sharing:
            self.sharing.slack = self.recorder.rules()

    def told(self) -> dict[str, Any]:
        recorder = self.recorder
        told = {"record_mode": recorder.mode, "cassette": recorder.name, "spent": asdict(recorder.run.spent)}
        return told | ({"saved": asdict(self.sharing.saved)} if self.sharing else {})

    def finish(self) -> int:
        """Write the recorded answers, and return their number. They are played from now on."""
        new = self.recorder.finish()
        for interaction in [] if self.sharing else new:
            self.library.add(interaction, self.recorder.declared)
        return len(new)
