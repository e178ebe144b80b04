"""Loads in a thread what only a call needs, so that the host's indexing does not wait for it."""

import importlib
import threading

from .credential import LIBRARY

LATER = (f"{__package__}.transport", LIBRARY)  # one after the other: two threads would only take turns


def load_in_background() -> None:
    threading.Thread(target=load, name=load.__module__).start()


def load() -> None:
    """Prints a failure, because nobody sees what a thread raises. A call tries again, and fails for the same reason."""
    for name in LATER:
        try:
            importlib.import_module(name)
        except Exception as error:
            told = f"no call can be answered, because {name} cannot be loaded: {type(error).__name__}: {error}"
            print(f"{told}. Install requirements.txt for this Python and this machine.", flush=True)
