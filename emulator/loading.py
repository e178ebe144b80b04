"""Makes imports cheap. A start imports up to 1,500 modules, and these two take a fifth of the time."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (200_000, 50, 100)


@contextmanager
def loading() -> Iterator[None]:
    """Inside the context, httpx comes without its command line, which loads rich and pygments where they are installed;
    and garbage is collected seldom, because modules are none. What is imported may set the collector to its taste."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: an import of it fails, as httpx expects
    usual = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        if gc.get_threshold() == SELDOM:
            gc.set_threshold(*usual)
