"""The verb `record` of `python -m emulator`: the proxy in front of live Azure OpenAI, with a recorder between them."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

from ..bundle import COMMAND
from ..match.declared import of_project
from ..usage import how_to_call
from .budget import Budget
from .live import Live
from .sharing import told
from .stack import RecordingStack, Wish

SETTLE_EVERY_SECONDS = 0.5
SAVE_EVERY_SECONDS = 30.0  # of a lesson: a machine that dies loses no more


def record(
    arguments: argparse.Namespace, beside: Callable[[RecordingStack], AbstractContextManager[Mapping[str, str]]]
) -> int:
    """`beside` lasts as long as the stack, and gives what there is to tell of it. Raises LiveError,
    RecordingRefused, CassetteError, and LookupError for a name that no cassette has."""
    budget = Budget(arguments.max_requests, arguments.max_tokens)
    if arguments.verify:
        from . import verify  # needs rich

        return verify.run(arguments.cassettes, arguments.names, Live.from_env(), budget)
    if arguments.names:
        raise LookupError("NAME is for --verify. To choose the cassette, write --cassette NAME.")
    name = arguments.cassette or f"recorded/{date.today().isoformat()}"
    if arguments.share and arguments.record_mode != "new_episodes":
        raise LookupError("--share asks what has no recording: it goes with --record-mode=new_episodes.")
    wish = Wish(arguments.record_mode, arguments.record_errors, budget, arguments.share)
    with tempfile.TemporaryDirectory(prefix="aoai-recording-") as run:
        stack = RecordingStack(
            arguments.cassettes,
            wish,
            Path(run),
            function_key=os.environ.get("FUNCTION_HOST_KEY"),
            port=arguments.port,
            host=arguments.host,
            slack=of_project(Path()),
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
        stack.begin(name, arguments.about)
        stack.live.check_credential()
        with stack, beside(stack) as told:
            if arguments.json:
                print(json.dumps(stack.describe() | dict(told)), flush=True)
            else:
                print(f"The proxy is at    {stack.base_url}\nIts function key   {stack.function_key}")
                print(f"Answers of         {stack.live.base}\ngo to              {stack.recorder.path}")
                if page := told.get("page"):
                    print(f"Look at it at      {page}")
                print(f"\n{how_to_call(stack)}\n\nCtrl-C writes the cassette and stops.", flush=True)
            try:
                keep_up(stack)
            finally:
                stack.finish()
                print("\n".join([*summary(stack), f"Review: git diff, {COMMAND} show {name}"]), file=sys.stderr)
    return 0


def keep_up(stack: RecordingStack) -> None:
    """Until Ctrl-C: checks answers in quiet moments. Of a class, whose answers are checked at once, it writes what has
    been asked so far."""
    saved = time.monotonic()
    while True:
        time.sleep(SETTLE_EVERY_SECONDS)
        if stack.recorder.is_quiet and not stack.sharing:
            stack.recorder.settle()
        if stack.sharing and time.monotonic() - saved >= SAVE_EVERY_SECONDS:
            stack.recorder.save()
            saved = time.monotonic()


def summary(stack: RecordingStack) -> list[str]:
    spent = stack.recorder.run.spent
    return [str(spent), told(stack.sharing.saved, spent)] if stack.sharing else [str(spent)]
