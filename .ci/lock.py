#!/usr/bin/env python3
"""Compiles requirements*.in, bounds with reasons, to the .txt beside each: exact versions with hashes.

    python .ci/lock.py                          after a change of a .in file: keeps every version that still fits
    python .ci/lock.py --upgrade                renews all
    python .ci/lock.py --upgrade-package NAME   renews one package, and its own requirements

Leaves out releases younger than a week: somebody usually finds a tampered release within days. For a fix that cannot
wait, raise its bound in the .in file, and add --days 0.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COOLDOWN_DAYS = 7  # as in .github/dependabot.yml

UNIVERSAL = ("--universal", "--python-version", "3.11")
AZURE = ("--python-version", "3.13")
AZURE_PLATFORM = ("--python-platform", "x86_64-manylinux2014", "--only-binary", ":all:")
LOCKS = {
    "requirements-dev.in": UNIVERSAL,  # first, because the others take its versions
    "requirements-emulator.in": UNIVERSAL,
    "requirements-openai3.in": UNIVERSAL,
    "requirements-browser.in": UNIVERSAL,
    "benchmarks/requirements.in": UNIVERSAL,
    "requirements.in": AZURE,
}
FIRST = next(iter(LOCKS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_const", const=["--upgrade"], default=[])
    parser.add_argument("--upgrade-package", action="append", metavar="NAME", default=[])
    parser.add_argument("--days", type=int, default=COOLDOWN_DAYS, help="the age of the youngest release")
    asked = parser.parse_args()
    renewed = [*asked.upgrade, *(f"--upgrade-package={name}" for name in asked.upgrade_package)]
    for name, options in LOCKS.items():
        lock = (ROOT / name).with_suffix(".txt")
        if name != FIRST:
            lock.write_text((ROOT / FIRST).with_suffix(".txt").read_text())  # uv keeps the versions that it finds
        options += ("--exclude-newer", f"{asked.days} days")
        compiled = uv(name, *options, "--generate-hashes", *(renewed if name == FIRST else ()), "-o", str(lock))
        if "--universal" not in options:
            compiled = only(wheels_of(uv(name, *options, *AZURE_PLATFORM, "--format", "pylock.toml")), compiled)
        lock.write_text(header(name) + compiled)


def uv(name: str, *options: str) -> str:
    """The output of `uv pip compile`, without the line that depends on the machine."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--no-config", "--no-python-downloads"]
    command += ["--no-header", "--no-emit-index-url", *options, name]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def wheels_of(pylock: str) -> set[str]:
    """The SHA-256 of every wheel in a lock of PEP 751. uv lists the wheels that the platform takes."""
    return {wheel["hashes"]["sha256"] for package in tomllib.loads(pylock)["packages"] for wheel in package["wheels"]}


def only(hashes: set[str], compiled: str) -> str:
    return re.sub(r" \\\n    --hash=sha256:(\w+)", lambda match: match[0] if match[1] in hashes else "", compiled)


def header(name: str) -> str:
    """The header of a lock. Dependabot keeps it, and reads uv's options from it."""
    options = " ".join(LOCKS[name])
    return (
        f"# Made by `python .ci/lock.py` of {name}, {digest(name)},\n"
        f"# with `uv pip compile --generate-hashes {options}`\n"
    )


def digest(name: str) -> str:
    return "sha256:" + hashlib.sha256("\n".join(requirements(ROOT / name)).encode()).hexdigest()[:32]


def requirements(file: Path) -> Iterator[str]:
    """The lines of a file and of the files that it names with -r, without comments."""
    for line in file.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            yield from requirements(file.parent / line.removeprefix("-r ").strip())
        elif line:
            yield line


if __name__ == "__main__":
    main()
