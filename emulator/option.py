"""Options of the command line, and their ranges. An error is one line."""

import argparse
import math
import re
import sys
from pathlib import Path
from typing import NoReturn

LOOPBACK = "127.0.0.1"
FASTEST, SLOWEST = 1_000_000.0, 0.001  # time scales; the slowest stretches 90 seconds to a day


class Parser(argparse.ArgumentParser):
    """Errors do not repeat the usage, because it is longer than the line that matters."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help tells more)\n")


def add_host(parser: argparse.ArgumentParser) -> None:
    told = f"where to listen; 0.0.0.0 is open to other machines, too (default: {LOOPBACK})"
    parser.add_argument("--host", default=LOOPBACK, metavar="ADDRESS", help=told)


def add_any_key(parser: argparse.ArgumentParser) -> None:
    told = "let in whoever shows a key, whatever it is, for clients that bring their own; Azure does not"
    parser.add_argument("--any-key", action="store_true", help=told)


def warn_of_any_key(is_so: bool) -> None:
    if is_so:
        print("warning: every key is accepted, because of --any-key. Azure accepts its own.", file=sys.stderr)


def add_cassettes(parser: argparse.ArgumentParser, otherwise: str = "the emulator's own") -> None:
    told = f"folders of cassettes (default: ./tests/cassettes and ./cassettes, else {otherwise})"
    parser.add_argument("--cassettes", type=Path, nargs="+", metavar="DIR", help=told)


def count(text: str) -> int:
    """A whole number above 0."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999,999,999")
    return int(text)


TIME_SCALES = f"0, or a number from {SLOWEST:g} to {FASTEST:,.0f}"


def time_scale(text: str) -> float:
    """One of TIME_SCALES."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if is_time_scale(value):
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is neither {TIME_SCALES.replace(', or', ' nor')}")


def is_time_scale(value: float) -> bool:
    return value == 0 or SLOWEST <= value <= FASTEST
