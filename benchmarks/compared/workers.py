"""The function inside Microsoft's worker library (Python 3.13), and a handler there that does nothing."""

import os
import subprocess
import sys
from pathlib import Path

from .contender import ROOT, Contender, Place
from .proxies import KEY, OURS_HEADERS, OURS_PATH, Ours

PYTHON = os.environ.get("BENCHMARK_WORKER_PYTHON", sys.executable)


class InWorker(Ours):
    python, backend = PYTHON, "runtime"

    def missing(self) -> str:
        found = subprocess.run([PYTHON, "-c", "import azure_functions_runtime"], capture_output=True, check=False)
        why = f"{PYTHON} has no azure-functions-runtime; BENCHMARK_WORKER_PYTHON may name a Python 3.13 that has"
        return why if found.returncode else ""


class NullInWorker(InWorker):
    """benchmarks/compared/null_app in the same host."""

    def command(self, place: Place) -> list[str | Path]:
        return [self.python, ROOT / "benchmarks" / "compared" / "null_app" / "serve.py", str(place.port), KEY]


def workers(upstream: int) -> list[Contender]:
    return [
        Contender("direct"),
        NullInWorker("a handler that does nothing", OURS_PATH, OURS_HEADERS),
        InWorker("ours", OURS_PATH, OURS_HEADERS),
    ]
