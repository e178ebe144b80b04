"""`demo`: real clients through the whole chain."""

import argparse
import sys
from importlib.util import find_spec

from .. import demo
from ..bundle import CASSETTES
from ..failure import UsageError
from ..page.command import inside
from .starting import starting_host


def run(arguments: argparse.Namespace) -> int:
    if not all(map(find_spec, ("openai", "dspy"))):
        raise UsageError("The demo needs the OpenAI SDK and DSPy: pip install openai dspy")
    is_watched = sys.stdin.isatty() and not arguments.once
    with starting_host():
        return demo.run(not is_watched, arguments.host, lambda stack: inside(stack, [CASSETTES], is_watched))
