"""The arguments of the verb `doctor`."""

import argparse
from pathlib import Path


def add_arguments(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--base-url",
        metavar="URL",
        help="ends in /api/v1, or in /api/keys/v1 for a signed key (default: $PROXY_BASE_URL, or .env)",
    )
    added.add_argument(
        "--key",
        help="a function key or a signed key (default, hidden from ps: $FUNCTION_HOST_KEY, $OPENAI_API_KEY or .env)",
    )
    added.add_argument(
        "--roster", type=Path, metavar="CSV", help="try every key of a class: keys.csv of `python -m proxy.keys make`"
    )
    added.add_argument("--model", default="", help="the model to ask (default: the first one served)")
    added.add_argument("--embeddings", default="", metavar="MODEL", help="also ask this model for a vector")
    added.add_argument(
        "--wait",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="after a deployment: repeat checks that may still succeed for so long (default: 0)",
    )
    added.add_argument("--no-calls", action="store_true", help="ask no model: costs no tokens, finds less")
    added.add_argument("--json", action="store_true", help="print one JSON object")
