"""The arguments that the page and the control API have: of `serve`, `azure`, `record` and `page`."""

import argparse
from pathlib import Path

from ..option import LOOPBACK, add_any_key, add_cassettes

DEFAULT_PORT = 7072


def add_access(parser: argparse.ArgumentParser) -> None:
    """The options that say who may call."""
    told = "with --host: open the control API to callers who have its token and call this machine NAME; may be repeated"
    parser.add_argument("--page-host", metavar="NAME", action="append", default=[], help=told)
    parser.add_argument("--no-page", action="store_true", help="serve the control API without its page")
    add_any_key(parser)


def add_port(parser: argparse.ArgumentParser) -> None:
    told = f"port of the page and the control API (default: {DEFAULT_PORT}, or a free one where that is taken)"
    parser.add_argument("--page-port", type=int, metavar="PORT", help=told)
    parser.add_argument("--open", action="store_true", help="open the page in a browser")


def add_page(parser: argparse.ArgumentParser) -> None:
    """The option of a command that has a page on demand."""
    parser.add_argument("--page", action="store_true", help="serve the page; who opens it can read all requests")


def add_file(added: argparse.ArgumentParser) -> None:
    """The arguments of `page`."""
    added.add_argument("file", type=Path, metavar="FILE", help="what pytest wrote")
    add_cassettes(added)
    add_port(added)
    added.add_argument("--json", action="store_true", help="print one JSON object, then nothing else")
    added.set_defaults(page_host=[], host=LOOPBACK)
