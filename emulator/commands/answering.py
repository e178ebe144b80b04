"""How the fake Azure of `serve` and `azure` answers, by their options."""

import argparse
import os
from pathlib import Path

from .. import deployment, model
from ..azure import FakeAzure
from ..azure.limits import Limits
from ..failure import UsageError
from ..folder import library_of, served
from ..match.library import Library
from ..synthetic.improvising import Improviser, Pace

NEEDS_IMPROVISE = ("deployments", "first_token_ms", "tokens_per_second")
IMPROVISED = "every answer without a recording; its header is x-emulator-origin: improvised"


def folders(arguments: argparse.Namespace) -> list[Path]:
    return served(arguments.cassettes)


def library(arguments: argparse.Namespace) -> Library:
    """The recordings in the folders. Standard error names each one that the proxy cannot serve. Raises UsageError."""
    return library_of(folders(arguments))


def deployments(arguments: argparse.Namespace, library: Library) -> str:
    """The deployments that exist, in the form of AZURE_OPENAI_DEPLOYMENT. With --improvise they are those that the
    command line or the environment names, or else the recorded ones and model.USUAL; without it, the recorded
    ones."""
    recorded = deployment.served(library)
    if not arguments.improvise:
        return ",".join(recorded)
    named = arguments.deployments or os.environ.get("AZURE_OPENAI_DEPLOYMENT", "").strip(" ,")
    return named or ",".join(dict.fromkeys((*recorded, *model.USUAL)))


def prepare(fake: FakeAzure, arguments: argparse.Namespace) -> None:
    """Sets the fault, the rate limits and the improviser that the options ask for. Raises FaultError and UsageError."""
    if arguments.fault:
        fake.misbehave(arguments.fault)
    if arguments.requests_per_minute or arguments.tokens_per_minute:
        fake.limits = Limits(arguments.requests_per_minute, arguments.tokens_per_minute, arguments.time_scale)
    if arguments.improvise:
        exist = [*model.models_of(deployments(arguments, fake.library))]
        fake.deployments |= {*exist}
        fake.after.append(Improviser(_pace(arguments), exist))
    elif unused := [name for name in NEEDS_IMPROVISE if getattr(arguments, name)]:
        raise UsageError(f"--{unused[0].replace('_', '-')} changes improvised answers only: add --improvise.")


def _pace(arguments: argparse.Namespace) -> Pace:
    usual = Pace()
    return Pace(
        arguments.first_token_ms or usual.first_token_ms, arguments.tokens_per_second or usual.tokens_per_second
    )
