"""The locks give the same packages everywhere, every day, and Azure installs the versions that the tests ran with."""

import ast
import re
import runpy
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distribution
from importlib.util import find_spec

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emulator.stack import ROOT

LOCK = runpy.run_path(str(ROOT / ".ci/lock.py"))
SOURCES: list[str] = list(LOCK["LOCKS"])
AZURE = "requirements.in"
AZURES = "3.13-linux"
APART = {  # what such an environment has in a version of its own, or alone
    "requirements-openai3.in": {"openai"},
    "requirements-browser.in": {"playwright", "axe-playwright-python"},
}

PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
INTERPRETER = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
MACHINES = {
    f"{version}-{platform}": INTERPRETER | markers | {"python_version": version, "python_full_version": f"{version}.1"}
    for version in ("3.11", "3.12", "3.13", "3.14")
    for platform, markers in PLATFORMS.items()
}
LINE = re.compile(r"#.*|    # .*|\S+==\S+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")


def lock_of(source: str) -> str:
    return (ROOT / source).with_suffix(".txt").read_text(encoding="utf-8")


def pins(source: str) -> list[Requirement]:
    return [Requirement(line.removesuffix(" \\")) for line in lock_of(source).splitlines() if re.match(r"\w", line)]


def bounds(source: str) -> list[Requirement]:
    return [Requirement(line) for line in LOCK["requirements"](ROOT / source)]


def versions(source: str, machine: str) -> dict[str, str]:
    """The packages that a lock installs on a kind of machine: name → version."""
    there = on(machine, pins(source))
    found: dict[str, str] = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in there}
    assert len(found) == len(there), "a package with two versions"
    return found


def on(machine: str, requirements: list[Requirement]) -> list[Requirement]:
    return [r for r in requirements if not r.marker or r.marker.evaluate(MACHINES[machine])]


@pytest.mark.parametrize("source", SOURCES)
def test_a_lock_belongs_to_its_bounds(source: str) -> None:
    assert LOCK["digest"](source) in lock_of(source), f"{source} has changed since: python .ci/lock.py"


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_but_versions_and_hashes_gets_in(source: str) -> None:
    """A lock holds no index, no folder and no link, so every machine makes the same lock."""
    assert [line for line in lock_of(source).splitlines() if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("source", SOURCES)
def test_every_version_has_its_hashes(source: str) -> None:
    entries = re.split(r"^(?=\w)", lock_of(source), flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("source", [source for source in SOURCES if source != AZURE])
def test_a_lock_keeps_its_bounds_on_every_machine(source: str, machine: str) -> None:
    locked = versions(source, machine)
    for bound in on(machine, bounds(source)):
        assert bound.specifier.contains(locked[canonicalize_name(bound.name)]), bound


@pytest.mark.parametrize("source", SOURCES[1:])
def test_the_tests_run_with_the_versions_of_every_lock(source: str) -> None:
    apart = APART.get(source, set())
    for machine in MACHINES if source != AZURE else [AZURES]:
        tested = versions(SOURCES[0], machine)
        locked = versions(source, machine)
        alike = {
            name for name in locked if name not in apart and (not apart or name in tested)
        }  # the agents' packages and the browser's are in one lock only
        assert {name: locked[name] for name in alike} == {name: tested[name] for name in alike}, machine


def test_azure_installs_for_one_python_and_a_builder_of_another_fails() -> None:
    """With a marker, another Python would install without an error. azure-functions 2 needs 3.13."""
    assert [str(pin) for pin in pins(AZURE) if pin.marker] == []
    locked = versions(AZURE, AZURES)
    assert locked["azure-functions"].startswith("2.")
    for bound in bounds(AZURE):
        assert bound.specifier.contains(locked[canonicalize_name(bound.name)]), bound


def test_azure_installs_all_that_the_function_imports() -> None:
    from_azure = {str(file.locate()) for pin in pins(AZURE) for file in distribution(pin.name).files or ()}
    modules = {
        name: file_of(name) for name in imports() if name.split(".")[0] not in {*sys.stdlib_module_names, "proxy"}
    }
    assert "azure.functions" in modules
    assert {name: file for name, file in modules.items() if file not in from_azure} == {}


def imports() -> Iterator[str]:
    """The full names of all that the function imports."""
    for file in [ROOT / "function_app.py", *ROOT.glob("proxy/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)


def file_of(name: str) -> str:
    """The file of a module, or of the module that holds an object."""
    with suppress(ModuleNotFoundError):
        if (spec := find_spec(name)) and spec.origin:
            return spec.origin
    return file_of(name.rpartition(".")[0])
