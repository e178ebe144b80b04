"""The options of `serve` and `azure` that say how the fake Azure answers."""

import argparse
import os
from pathlib import Path

from .. import deployment, option
from ..azure import FakeAzure
from ..azure.limits import Limits
from ..failure import UsageError
from ..folder import add_cassettes, library_of, served
from ..match.library import Library
from ..synthetic.improvising import Improviser, Pace

NEEDS_IMPROVISE = ("deployments", "first_token_ms", "tokens_per_second")
IMPROVISED = "every answer without a recording; its header is x-emulator-origin: improvised"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cassettes(parser)
    parser.add_argument(
        "--time-scale",
        type=option.time_scale,
        default=1.0,
        help="speed against the recorded one; 0: at once (default: 1)",
    )
    parser.add_argument(
        "--fault", metavar="WISH", help="break every answer with a fault, such as 'reset; at_frame=3; times=1'"
    )
    for what in ("requests", "tokens"):
        parser.add_argument(
            f"--{what}-per-minute",
            type=option.count,
            metavar="N",
            help="limit the rate of each deployment; --time-scale speeds up its clock",
        )
    parser.add_argument("--improvise", action="store_true", help="make up an answer where no recording has one")
    parser.add_argument(
        "--deployments",
        type=deployment.listed,
        metavar="NAMES",
        help="improvise these, in the form of AZURE_OPENAI_DEPLOYMENT (default: that variable, else common models)",
    )
    parser.add_argument(
        "--first-token-ms",
        type=option.count,
        metavar="MS",
        help="time to the first token of improvised streams (default: 300)",
    )
    parser.add_argument(
        "--tokens-per-second", type=option.count, metavar="N", help="speed of improvised streams (default: 40)"
    )


def folders(arguments: argparse.Namespace) -> list[Path]:
    return served(arguments.cassettes)


def library(arguments: argparse.Namespace) -> Library:
    """The recordings in the folders. Standard error names each one that the proxy cannot serve. Raises UsageError."""
    return library_of(folders(arguments))


def deployments(arguments: argparse.Namespace, library: Library) -> str:
    """The deployments that exist, in the form of AZURE_OPENAI_DEPLOYMENT. With --improvise they are those that the
    command line or the environment names, or else the recorded ones and deployment.USUAL; without it, the recorded
    ones."""
    recorded = deployment.served(library)
    if not arguments.improvise:
        return ",".join(recorded)
    named = arguments.deployments or os.environ.get("AZURE_OPENAI_DEPLOYMENT", "").strip(" ,")
    return named or ",".join(dict.fromkeys((*recorded, *deployment.USUAL)))


def prepare(fake: FakeAzure, arguments: argparse.Namespace) -> None:
    """Sets the fault, the rate limits and the improviser that the options ask for. Raises FaultError and UsageError."""
    if arguments.fault:
        fake.misbehave(arguments.fault)
    if arguments.requests_per_minute or arguments.tokens_per_minute:
        fake.limits = Limits(arguments.requests_per_minute, arguments.tokens_per_minute, arguments.time_scale)
    if arguments.improvise:
        exist = [*deployment.models_of(deployments(arguments, fake.library))]
        fake.deployments |= {*exist}
        fake.after.append(Improviser(_pace(arguments), exist))
    elif unused := [name for name in NEEDS_IMPROVISE if getattr(arguments, name)]:
        raise UsageError(f"--{unused[0].replace('_', '-')} changes improvised answers only: add --improvise.")


def _pace(arguments: argparse.Namespace) -> Pace:
    usual = Pace()
    return Pace(
        arguments.first_token_ms or usual.first_token_ms, arguments.tokens_per_second or usual.tokens_per_second
    )
