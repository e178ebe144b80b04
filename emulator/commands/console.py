"""What a verb does to the terminal that started it."""

import gc
import threading


def say(text: str) -> None:
    print(text, flush=True)


def wait_for_ever() -> None:
    gc.freeze()  # all is loaded by now: to collect it again and again would stop every answer for 100 ms a time
    gc.set_threshold(20_000, 50, 100)
    threading.Event().wait()
