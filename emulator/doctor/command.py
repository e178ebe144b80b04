"""The verb `doctor` of `python -m emulator`: it finds the proxy to examine, and prints the report."""

import argparse
import json
import math
import os
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace

from dotenv import dotenv_values

from ..transcript import CONTROL, WIDTH
from .address import SIGNED_PATH
from .check import Check
from .examination import Doctor
from .roster import keys_of, try_all

ADDRESS = "the proxy's address: --base-url https://<app>.azurewebsites.net/api/v1, or PROXY_BASE_URL"


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Returns 0 when all is well, 1 for a problem. Raises ValueError for wrong usage."""
    given = from_file() | os.environ
    base_url = arguments.base_url or given.get("PROXY_BASE_URL") or signed_base_url(given)
    signed = (base_url or "").rstrip("/").endswith(SIGNED_PATH)
    variable = "OPENAI_API_KEY" if signed else "FUNCTION_HOST_KEY"
    key: str = arguments.key or given.get(variable) or ""
    if not base_url or not (key or arguments.roster):
        missing = f"the key: --key, or {variable}" if base_url else ADDRESS
        raise ValueError(f"Doctor needs {missing} in the environment or in .env.")
    if arguments.roster:
        return report(try_all(base_url, keys_of(arguments.roster)), say, arguments.json)
    if not (key.isascii() and key.isprintable()) or key != key.strip():
        raise ValueError("The key has characters that no header can hold: copy it again, without line breaks.")
    if not 0 <= arguments.wait < math.inf:
        raise ValueError("--wait is a number of minutes, 0 or more.")
    calls, wait = not arguments.no_calls, arguments.wait
    examined = Doctor(base_url, key, calls=calls, model=arguments.model, embeddings=arguments.embeddings, wait=wait)
    return report(examined.examine(), say, arguments.json)


def signed_base_url(given: Mapping[str, str]) -> str | None:
    """The base URL in the .env that a person gets with a signed key; None when it is not such a URL."""
    base_url = given.get("OPENAI_BASE_URL", "")
    return base_url if base_url.endswith(SIGNED_PATH) else None


def from_file() -> dict[str, str]:
    """The settings of .env in the current folder."""
    return {name: value for name, value in dotenv_values(".env").items() if value}


def report(checks: Iterable[Check], say: Callable[[str], None], as_json: bool) -> int:
    """Print each check as it ends, or all as JSON at the end. Returns 0 when all is well, 1 for a problem."""
    done, first = list[Check](), dict[tuple[str, str], str]()
    for check in checks:
        done.append(check)
        same = first.setdefault((check.found, check.meaning), check.name)
        if not as_json:
            say(shown(check if same == check.name else replace(check, found=f"the same as {same}", meaning="")))
    problems, tokens = sum(check.result == "problem" for check in done), sum(check.tokens for check in done)
    if as_json:
        say(json.dumps({"problems": problems, "tokens": tokens, "checks": [asdict(check) for check in done]}))
    else:
        say(f"\n{problems or 'no'} problem{'s' * (problems != 1)}, {tokens} tokens used")
    return int(problems > 0)


def shown(check: Check) -> str:
    head = f"{check.result:8} {check.name:11} "
    told = [line for text in (check.found, check.meaning) for line in textwrap.wrap(text, WIDTH - len(head))]
    return (head + f"\n{' ' * len(head)}".join(told)).translate(CONTROL)
