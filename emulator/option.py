"""Options of the command line, and their ranges. An error is one line."""

import argparse
import math
import re
from typing import NoReturn

FASTEST, SLOWEST = 1_000_000.0, 0.001  # time scales; the slowest stretches 90 seconds to a day


class UsageError(Exception):
    """A mistake of the person at the keyboard. The message is one line and helps to mend it."""


class Parser(argparse.ArgumentParser):
    """Errors do not repeat the usage, because it is longer than the line that matters."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help tells more)\n")


def count(text: str) -> int:
    """A whole number above 0."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999,999,999")
    return int(text)


def time_scale(text: str) -> float:
    """0, or from SLOWEST to FASTEST."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value == 0 or SLOWEST <= value <= FASTEST:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor a number from {SLOWEST:g} to {FASTEST:,.0f}")
