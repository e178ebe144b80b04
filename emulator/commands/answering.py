"""How the fake Azure answers, as `serve` and `azure` take it from the command line."""

import argparse
import os
from pathlib import Path

from .. import deployment, option
from ..azure import FakeAzure
from ..azure.limits import Limits
from ..folder import add_cassettes, library_of, served
from ..match.library import Library
from ..option import UsageError
from ..synthetic.improvising import Improviser, Pace

NEEDS_IMPROVISE = ("deployments", "first_token_ms", "tokens_per_second")
IMPROVISED = "whatever has no recording; the header x-emulator-origin says so"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cassettes(parser)
    parser.add_argument(
        "--time-scale", type=option.time_scale, default=1.0, help="times faster than recorded; 0: at once (default: 1)"
    )
    parser.add_argument(
        "--fault", metavar="WISH", help="the fault of every answer, such as 'reset; at_frame=3; times=1'"
    )
    for what in ("requests", "tokens"):
        parser.add_argument(
            f"--{what}-per-minute",
            type=option.count,
            metavar="N",
            help="a rate limit for each deployment; see --time-scale",
        )
    parser.add_argument("--improvise", action="store_true", help="make up an answer where no recording has one")
    parser.add_argument(
        "--deployments",
        type=deployment.listed,
        metavar="NAMES",
        help="that are improvised, as AZURE_OPENAI_DEPLOYMENT names them (default: that, else usual models)",
    )
    parser.add_argument(
        "--first-token-ms", type=option.count, metavar="MS", help="until an improvised stream begins (default: 300)"
    )
    parser.add_argument(
        "--tokens-per-second", type=option.count, metavar="N", help="of improvised streams (default: 40)"
    )


def folders(arguments: argparse.Namespace) -> list[Path]:
    return served(arguments.cassettes)


def library(arguments: argparse.Namespace) -> Library:
    """What is not served is named on standard error. Raises UsageError."""
    return library_of(folders(arguments))


def deployments(arguments: argparse.Namespace, library: Library) -> str:
    """What exists, in the form of AZURE_OPENAI_DEPLOYMENT: what is recorded; where answers are improvised, what the
    command line or the environment names, else usual models, too."""
    recorded = deployment.served(library)
    if not arguments.improvise:
        return ",".join(recorded)
    named = arguments.deployments or os.environ.get("AZURE_OPENAI_DEPLOYMENT", "").strip(" ,")
    return named or ",".join(dict.fromkeys((*recorded, *deployment.USUAL)))


def prepare(fake: FakeAzure, arguments: argparse.Namespace) -> None:
    """What was asked to go wrong, and who answers besides the recordings. Raises FaultError and UsageError."""
    if arguments.fault:
        fake.misbehave(arguments.fault)
    if arguments.requests_per_minute or arguments.tokens_per_minute:
        fake.limits = Limits(arguments.requests_per_minute, arguments.tokens_per_minute, arguments.time_scale)
    if arguments.improvise:
        exist = [*deployment.models_of(deployments(arguments, fake.library))]
        fake.deployments |= {*exist}
        fake.after.append(Improviser(_pace(arguments), exist))
    elif unused := [name for name in NEEDS_IMPROVISE if getattr(arguments, name)]:
        raise UsageError(f"--{unused[0].replace('_', '-')} is about improvised answers: add --improvise.")


def _pace(arguments: argparse.Namespace) -> Pace:
    usual = Pace()
    return Pace(
        arguments.first_token_ms or usual.first_token_ms, arguments.tokens_per_second or usual.tokens_per_second
    )
