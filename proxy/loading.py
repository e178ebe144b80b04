"""What only a call needs, loaded while the host gets ready: indexing does not wait for it."""

import importlib
import threading

from .credential import LIBRARY

LATER = (f"{__package__}.transport", LIBRARY)  # in this order: two threads at once would only take turns


def load_in_background() -> None:
    threading.Thread(target=load).start()


def load() -> None:
    """Printed, because nobody sees what a thread raises; a call tries again and fails with the same reason."""
    for name in LATER:
        try:
            importlib.import_module(name)
        except Exception as error:
            told = f"no call can be answered, because {name} cannot be loaded: {type(error).__name__}: {error}"
            print(f"{told}. Install requirements.txt for this Python and this machine.", flush=True)
