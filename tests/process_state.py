"""What a process knows of itself once it has loaded the proxy: `python -m tests.process_state` prints it as JSON."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from tests.warm_process import LOADED

PLAIN = (bool, bytes, int, str, type(None))
EVERY = "every variable"
PRELIMINARY = ("__main__", "__mp_main__")


def main() -> None:
    with environment_watched() as read:
        for name in LOADED:
            import_module(name)
    early = [name for name in sys.modules if name.split(".")[0] in ("function_app", "proxy", "azure_functions_runtime")]
    import function_app

    for thread in threading.enumerate()[1:]:  # it loads the rest
        thread.join()
    settings = {"early": early, "read": sorted(read), "settings": repr(function_app.settings)}
    json.dump(settings | own() | {"values": values()}, sys.stdout)


@contextmanager
def environment_watched() -> Iterator[set[str]]:
    """The names of the variables that are read."""
    read = set[str]()
    kind = type(os.environ)

    class Watched(kind):  # type: ignore[misc, valid-type]
        def __getitem__(self, name: Any) -> Any:
            read.add(os.fsdecode(name))
            return super().__getitem__(name)

        def __iter__(self) -> Iterator[Any]:
            read.add(EVERY)
            return iter(super().__iter__())

    os.environ.__class__ = Watched
    try:
        yield read
    finally:
        os.environ.__class__ = kind


def own() -> dict[str, Any]:
    return {
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": sys.path,
        "main": sys.modules["__main__"].__spec__.name,  # type: ignore[union-attr]
        "descriptors": os.listdir("/proc/self/fd"),
        "signals": {number.name: str(signal.getsignal(number)) for number in signal.Signals},
        "blocked": [*signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "streams": [
            (stream.fileno(), stream.encoding, stream.errors, stream.line_buffering, stream.write_through)
            for stream in (sys.stdin, sys.stdout, sys.stderr)
        ],
        "session": (os.getsid(0), os.getpgid(0), os.umask(0o22), os.nice(0)),
        "interpreter": (str(sys.flags), sys.warnoptions, sys.getrecursionlimit(), sys.getswitchinterval()),
        "modules": sorted({*sys.modules} - {*PRELIMINARY}),
    }


def values() -> dict[str, str]:
    """The plain values of all modules."""
    return {
        f"{name}.{key}": repr(value)
        for name, module in [*sys.modules.items()]
        if name not in PRELIMINARY
        for key, value in [*vars(module).items()]
        if isinstance(value, PLAIN)
    }


if __name__ == "__main__":
    main()
