"""The arguments of the verb `record`."""

import argparse

from .. import option
from .mode import MODES


def add_arguments(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "names", nargs="*", metavar="NAME", help="with --verify: the cassettes (default: all recorded ones)"
    )
    added.add_argument(
        "--cassette", metavar="NAME", help="where to keep the answers, such as chat/story (default: today's date)"
    )
    added.add_argument("--about", default="", metavar="SENTENCE", help="what a new cassette shows")
    added.add_argument(
        "--record-mode",
        choices=[mode for mode in MODES if mode != "none"],
        default="new_episodes",
        help="which requests go to the live service (default: new_episodes). "
        + "; ".join(f"{name}: {asked}" for name, asked in MODES.items() if name != "none"),
    )
    added.add_argument(
        "--share", action="store_true", help="ask each question once: whoever asks the same gets the recorded answer"
    )
    added.add_argument("--record-errors", action="store_true", help="also keep answers from status 400 on")
    added.add_argument("--max-requests", type=option.count, metavar="N", help="make no more requests than this")
    added.add_argument(
        "--max-tokens", type=option.count, metavar="N", help="make no call that may exceed this many tokens in all"
    )
    added.add_argument(
        "--verify", action="store_true", help="send recorded requests again, report drift, write nothing"
    )
