"""python -m emulator.synthetic [NAME ...]: write the cassettes of these scenarios, or of all.

Scenarios are the `SCENARIOS` lists in the modules of a package, tests.e2e.scenarios unless --scenarios names another.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import tempfile
from pathlib import Path

from ..bundle import CASSETTES, ROOT
from .author import Author, AuthoringError, Scenario


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator.synthetic", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="as in chat/hello, or a folder as in chat")
    parser.add_argument("--scenarios", default="tests.e2e.scenarios", metavar="PACKAGE")
    parser.add_argument("--folder", type=Path, default=CASSETTES, help="where to write (default: cassettes)")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as cache:
        os.environ |= {"DSPY_CACHEDIR": cache, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # read when they are imported
        scenarios = load(arguments.scenarios)
        chosen = [entry for entry in scenarios if not arguments.names or is_named(entry.name, arguments.names)]
        if not chosen:
            parser.error(f"no such scenario; there are {', '.join(entry.name for entry in scenarios)}")
        try:
            with Author(arguments.folder) as author:
                for scenario in chosen:
                    print(author.write(scenario) or f"kept: {scenario.name} was really recorded", flush=True)
        except AuthoringError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


def load(package: str) -> list[Scenario]:
    """The scenarios of a package's modules. Raises AuthoringError when two share a name."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    folders = importlib.import_module(package).__path__
    modules = [importlib.import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(folders)]
    scenarios = [scenario for module in modules for scenario in getattr(module, "SCENARIOS", ())]
    names = [scenario.name for scenario in scenarios]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise AuthoringError(f"two scenarios have one name: {', '.join(twice)}")
    return scenarios


def is_named(name: str, wanted: list[str]) -> bool:
    return any(name == entry or name.startswith(f"{entry.rstrip('/')}/") for entry in wanted)


if __name__ == "__main__":
    sys.exit(main())
