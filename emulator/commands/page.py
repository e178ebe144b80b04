"""`page`: the page of a file that pytest kept."""

import argparse
import json

from ..page.command import open_page
from ..page.reading import reading
from .console import say, wait_for_ever


def run(arguments: argparse.Namespace) -> None:
    with reading(arguments) as told:
        say(json.dumps(told) if arguments.json else f"Look at it at {told['page']}\nCtrl-C stops it.")
        if arguments.open:
            open_page(told)
        wait_for_ever()
