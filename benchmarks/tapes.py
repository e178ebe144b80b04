"""The emulator's recordings: finding one, and loading many."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emulator.tape import cassette
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.library import Library
from emulator.tape.route import parse

from .bench import Bench, Sample
from .contender import CHAT, ROOT
from .recordings import interactions
from .replayers import PER_CASSETTE
from .server import SERVER_CORE, on_core

SIZES = (10, 1_000, 5_000, 20_000)
MATCHES = 2_000
LOAD = """
import sys, time
from pathlib import Path
from emulator.tape.library import Library
began = time.perf_counter()
library = Library.from_folders([Path(sys.argv[1])])
print(1000 * (time.perf_counter() - began))
"""


def matching() -> Bench:
    return Bench("match", {f"{size} recordings": functools.partial(match_sample, size) for size in SIZES})


@functools.cache
def library_of(size: int) -> Library:
    return Library(interactions(size))


def match_sample(size: int) -> Sample:
    """A request's body and target to the recording that answers it."""
    library, body = library_of(size), interactions(1)[0].request.body
    began = time.perf_counter()
    for _ in range(MATCHES):
        route = parse(CHAT)
        assert route
        assert library.take(key_of("POST", route, parse_body(body)), route.generation)
    return {"match_us": 1e6 * (time.perf_counter() - began) / MATCHES}


def loading() -> Bench:
    return Bench("load", {f"{size} recordings": functools.partial(load_sample, size) for size in SIZES})


def load_sample(size: int) -> Sample:
    """In a new process each: once with no cache, once with what the first has left there."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        tapes = Path(folder) / "tapes"
        recorded = interactions(size)
        for start in range(0, size, PER_CASSETTE):
            cassette.save(tapes / f"{start}.yaml", recorded[start : start + PER_CASSETTE], {})
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": folder}
        command = on_core(SERVER_CORE, [sys.executable, "-c", LOAD, tapes])
        cold, cached = (
            float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
            for _ in range(2)
        )
    return {"cold_ms": cold, "cached_ms": cached}
