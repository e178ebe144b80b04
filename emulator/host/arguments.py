"""The arguments of the verb `host`, in a file that loads nothing else of the host."""

import argparse
from pathlib import Path

from ..option import add_any_key, add_host

DEFAULT_PORT = 7071  # where `func start` listens
SUMMARY = "Run the proxy, or another function app, in the local Functions host, with all settings from the environment."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--app",
        metavar="DIR",
        type=Path,
        help="the folder of another function_app.py, whose local.settings.json counts as well",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0 for a free one (default: {DEFAULT_PORT})")
    add_host(parser)
    add_any_key(parser)
    told = "print one JSON object, then one for each call that Azure would never answer"
    parser.add_argument("--json", action="store_true", help=told)
    parser.add_argument("--backend", choices=("public", "runtime"), help="how functions are called (default: best)")
    parser.add_argument("--verbose", action="store_true", help="show the function's log on standard error")
    parser.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tell-of-calls", action="store_true", help=argparse.SUPPRESS)  # with --json
