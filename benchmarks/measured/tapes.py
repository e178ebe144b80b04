"""Measures the emulator's recordings: finding one, explaining why none fits, and loading many.

`python -m benchmarks.measured.tapes` prints the medians of these benches alone."""

import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emulator.match import diagnose
from emulator.match.library import Library
from emulator.tape import cassette
from emulator.tape.canonical import key_of, parse_body
from emulator.tape.route import parse

from ..bench import Bench, Sample
from ..compared.contender import CHAT, ROOT
from ..compared.recordings import interactions
from ..compared.replayers import PER_CASSETTE
from ..compared.server import SERVER_CORE, on_core

SIZES = (10, 1_000, 5_000, 20_000)
MATCHES = 2_000
LOAD = """
import sys, time
from pathlib import Path
from emulator.match.library import Library
began = time.perf_counter()
library = Library.from_folders([Path(sys.argv[1])])
print(1000 * (time.perf_counter() - began))
"""


def matching() -> Bench:
    return Bench("match", {f"{size} recordings": functools.partial(match_sample, size) for size in SIZES})


@functools.cache
def library_of(size: int) -> Library:
    return Library(interactions(size))


def match(library: Library, body: bytes) -> None:
    """Finds the recording for a request's target and body, as the fake Azure does."""
    route = parse(CHAT)
    assert route
    assert library.take(key_of("POST", route, parse_body(body)), route.generation, body)


def match_sample(size: int) -> Sample:
    library, body = library_of(size), interactions(1)[0].request.body
    began = time.perf_counter()
    for _ in range(MATCHES):
        match(library, body)
    return {"match_us": 1e6 * (time.perf_counter() - began) / MATCHES}


def explaining() -> Bench:
    return Bench("explain", {f"{size} recordings": functools.partial(explain_sample, size) for size in SIZES})


def explain_sample(size: int) -> Sample:
    """The time to the message for a request that differs from the last recording in a word and a number."""
    library, body = library_of(size), interactions(1)[0].request.body
    asked = json.loads(body.replace(b" two ", b" tow ", 1)) | {"temperature": 0.123}
    route, sent = parse(CHAT), json.dumps(asked).encode()
    assert route
    began = time.perf_counter()
    told = diagnose.explain(key_of("POST", route, parse_body(sent)), sent, library)
    took = time.perf_counter() - began
    assert library.interactions()[-1].label in told
    return {"explain_ms": 1000 * took}


def loading() -> Bench:
    return Bench("load", {f"{size} recordings": functools.partial(load_sample, size) for size in SIZES})


def load_sample(size: int) -> Sample:
    """Loads in two new processes: the first without a cache, the second with the first one's cache."""
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


def main(rounds: int = 5) -> None:
    for bench in (matching(), explaining(), loading()):
        for variant, sample in bench.variants.items():
            samples = [sample() for _ in range(rounds)]
            medians = {metric: statistics.median(one[metric] for one in samples) for metric in samples[0]}
            print(bench.name, variant, *(f"{metric} {median:.3g}" for metric, median in medians.items()), sep="  ")


if __name__ == "__main__":
    main()
