"""The machine and the versions of a run."""

import datetime
import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

PACKAGES = ("httpx", "aiohttp", "uvicorn", "httptools", "uvloop", "starlette", "azure-functions")


def described() -> dict[str, Any]:
    """Date, machine, versions, and the machine's load before the run: other programs blur the measurements."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores of {processor()}, {platform.system()} {platform.release()}",
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "load_before": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "–"
