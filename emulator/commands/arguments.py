"""The arguments of the verbs. This module imports little, so that help and a wrong option are told at once."""

import argparse
from pathlib import Path

from .. import model, option
from ..host.arguments import DEFAULT_PORT
from ..option import add_cassettes, add_host
from ..page import arguments as page
from ..recording import arguments as recording


def add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="end after the steps (default without a terminal)")
    add_host(parser)


def add_serve(parser: argparse.ArgumentParser) -> None:
    add_listening(parser, DEFAULT_PORT)
    add_answering(parser)
    page.add_port(parser)
    page.add_access(parser)


def add_azure(parser: argparse.ArgumentParser) -> None:
    add_listening(parser, 0)
    add_answering(parser)
    page.add_access(parser)
    parser.add_argument("--settings", action="store_true", help="write local.settings.json for `func start`")


def add_record(parser: argparse.ArgumentParser) -> None:
    add_listening(parser, DEFAULT_PORT)
    add_cassettes(parser, otherwise="a new ./cassettes")
    recording.add_arguments(parser)
    page.add_page(parser)


def add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="CASSETTE", help="a name, such as chat/story, or a file")
    add_cassettes(parser)


def add_check(parser: argparse.ArgumentParser) -> None:
    add_cassettes(parser, otherwise="none")
    parser.add_argument(
        "--recordings", type=Path, metavar="DIR", help="real recordings to compare with ($AZURE_RECORDINGS)"
    )
    parser.add_argument("--specs", type=Path, metavar="DIR", help="Azure's OpenAPI descriptions ($AZURE_SPECS)")
    parser.add_argument("--audit", action="store_true", help="change every request, check that matching notices")
    parser.add_argument("--played", type=Path, metavar="FILE", help="the file of `pytest --emulator-played=FILE`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_listening(parser: argparse.ArgumentParser, port: int) -> None:
    """`port` is the default."""
    parser.add_argument("--port", type=int, default=port, help=f"0 for a free one (default: {port})")
    add_host(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, then nothing else")


def add_answering(parser: argparse.ArgumentParser) -> None:
    """The options that say how the fake Azure answers."""
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
        type=model.listed,
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
