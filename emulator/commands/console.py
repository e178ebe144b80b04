"""Prints for a verb, and waits until Ctrl-C."""

import gc
import threading


def say(text: str) -> None:
    print(text, flush=True)


def wait_for_ever() -> None:
    gc.freeze()  # everything is loaded; each full collection of it would stop all answers for 100 ms
    gc.set_threshold(20_000, 50, 100)
    threading.Event().wait()
