"""The two C programs: the upstream and the load. They are in C, because neither may limit a run."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..bench import Failed

SOURCES = Path(__file__).with_name("native")


def program(name: str) -> Path:
    """The compiled program, rebuilt when its source has changed. Raises Failed without a compiler."""
    source = SOURCES / f"{name}.c"
    version = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    built = Path(tempfile.gettempdir()) / f"azure-openai-proxy-{name}-{version}"
    if not built.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            raise Failed("There is no C compiler; install one (Debian: apt-get install gcc libc6-dev).")
        unfinished = built.with_suffix(".tmp")
        subprocess.run([compiler, "-O2", "-o", unfinished, source], check=True)
        unfinished.replace(built)
    return built
