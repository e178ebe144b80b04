"""Serves this folder in the local Functions host, on the worker library: `serve.py PORT KEY`."""

import sys
from pathlib import Path

from emulator.host.server import serve
from emulator.server import bind, run

if __name__ == "__main__":
    run(serve(Path(__file__).parent, {"default": sys.argv[2]}, bind(int(sys.argv[1])), backend="runtime"))
