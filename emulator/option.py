"""Options of the command line, and their ranges. An error is one line."""

import argparse
import math
import re
from typing import NoReturn

FASTEST, SLOWEST = 1_000_000.0, 0.001  # time scales; the slowest stretches 90 seconds to a day


class Parser(argparse.ArgumentParser):
    """Errors do not repeat the usage, because it is longer than the line that matters."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help tells more)\n")


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
