"""Measures a start: the cost of imports, and the time of a new process to its first answer."""

import functools
import os
import subprocess
import sys

from ..bench import Bench, Sample
from ..compared.contender import ROOT, Contender
from ..compared.server import SERVER_CORE, on_core
from ..compared.site import DIRECT, Site

FIRST_ANSWER = "start to first answer"
EXTENSION = "azure.functions and the http-fastapi extension"
INDEXING = "PYTHON_ENABLE_INIT_INDEXING"  # without it the app refuses to load below Python 3.13
IMPORTS = {
    EXTENSION: "import azure.functions, azurefunctions.extensions.http.fastapi",
    "function_app": "import function_app",
}
# Azure installs no pygments. Where pygments is installed, httpx loads its command line.
PROGRAM = """import sys, time
sys.modules["pygments"] = None
began = time.perf_counter()
{}
print(time.perf_counter() - began)"""


def imports() -> Bench:
    return Bench("import", {name: functools.partial(import_sample, code) for name, code in IMPORTS.items()})


def import_sample(code: str) -> Sample:
    command = on_core(SERVER_CORE, [sys.executable, "-c", PROGRAM.format(code)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), INDEXING: "1"}
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return {"import_ms": 1000 * float(printed.split()[-1])}


def first_answers(site: Site) -> Bench:
    return Bench(
        FIRST_ANSWER,
        {c.name: functools.partial(start_sample, site, c) for c in site.running if c.name != DIRECT},
    )


def start_sample(site: Site, contender: Contender) -> Sample:
    with site.start(contender) as server:
        return {"first_answer_s": site.first_answer(contender, server), "rss_mb": server.rss_mb()}
