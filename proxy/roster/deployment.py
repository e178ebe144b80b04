"""The deployment of the keys: its signing keys, its revoked keys, its base URL."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..keys import Keyring
from ..settings import SIGNING_CHARACTERS, is_secret, listed_in
from .person import Mistake

SECONDS = 60.0  # azd and az may sign in again
SIGNING, REVOKED = "PROXY_SIGNING_KEY", "PROXY_REVOKED_KEYS"
WHERE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_APP")

Run = Callable[..., str]


@dataclass(frozen=True)
class Deployment:
    """`revoked` is None where the function's own list is unknown; `base_url` is the one for signed keys, "" where it is
    unknown; `app` holds az's options that name the function."""

    signing_keys: tuple[str, ...]
    revoked: tuple[str, ...] | None
    base_url: str
    app: tuple[str, ...] = ()

    def keyring(self) -> Keyring:
        """Raises Mistake without a usable signing key."""
        if not self.signing_keys:
            raise Mistake(
                f"There is no signing key. Set {SIGNING}; or sign in with `az login`, and run this where "
                "`azd env get-values` knows a deployment whose SIGNED_KEYS is true."
            )
        if not all(map(is_secret, self.signing_keys)):
            raise Mistake(
                f"{SIGNING} must be {SIGNING_CHARACTERS} random characters or more. If it refers to Key Vault, put the "
                "secret itself into the environment."
            )
        return Keyring(self.signing_keys, self.revoked or ())


def output_of(*command: str) -> str:
    """What a program prints; "" where the program is missing or fails."""
    if not (program := shutil.which(command[0])):
        return ""
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if not done.returncode else ""


def find(environ: Mapping[str, str], base_url: str = "", run: Run = output_of) -> Deployment:
    """Takes each setting from the environment; else from the function in Azure; else from azd."""
    known, app = {name: value for name, value in environ.items() if value}, tuple[str, ...]()
    if not {SIGNING, REVOKED} <= known.keys():
        of_azd = values(run("azd", "env", "get-values"))
        if all(of_azd.get(name) for name in WHERE):
            subscription, group, name = (of_azd[name] for name in WHERE)
            app = ("--subscription", subscription, "--resource-group", group, "--name", name)
            of_azd |= app_settings(run, app)
        known = of_azd | known
    revoked = listed_in(known, REVOKED) if REVOKED in known else None
    where = for_keys(base_url or known.get("PROXY_BASE_URL", ""))
    return Deployment(listed_in(known, SIGNING), revoked, where, app)


def app_settings(run: Run, app: tuple[str, ...]) -> dict[str, str]:
    """The function's own settings: azd does not tell a signing key that it has made."""
    query = f"[?name=='{SIGNING}' || name=='{REVOKED}'].[name, value]"
    told = run("az", "functionapp", "config", "appsettings", "list", *app, "--query", query, "--output", "json")
    return {REVOKED: "", **dict(json.loads(told))} if told.strip() else {}


def values(printed: str) -> dict[str, str]:
    """The values that `azd env get-values` prints as NAME="value"."""
    lines = re.findall(r'^(\w+)="(.*)"\r?$', printed, re.MULTILINE)
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in lines}


def for_keys(base_url: str) -> str:
    """The base URL for signed keys: azd knows the one for the function key."""
    return re.sub(r"/api/v1$", "/api/keys/v1", base_url.strip().rstrip("/"))
