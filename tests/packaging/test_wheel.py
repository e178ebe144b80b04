"""The wheel holds the package, the proxy and the cassettes, claims one name, and needs what LocalStack needs."""

import subprocess
import tomllib
import zipfile
from collections.abc import Iterable
from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement

from emulator.stack import ROOT
from tests.packaging.test_locks import bounds

BUNDLED = "azure_openai_emulator/bundled"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def tracked(*paths: str) -> list[str]:
    return subprocess.check_output(["git", "ls-files", *paths], cwd=ROOT, text=True).splitlines()


def by_name(requirements: Iterable[Requirement]) -> dict[str, Requirement]:
    return {requirement.name.lower(): requirement for requirement in requirements}


def test_the_wheel_has_one_name_and_all_that_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (told,) = [name for name in names if name.endswith("entry_points.txt")]
        points = ConfigParser()
        points.read_string(archive.read(told).decode())
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"azure_openai_emulator"}
    package = {name.replace("emulator/", "azure_openai_emulator/", 1) for name in tracked("emulator")}
    carried = tracked("function_app.py", "proxy", "host.json", "cassettes", "docs")
    assert package | {f"{BUNDLED}/{name}" for name in carried} <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]
    assert dict(points["console_scripts"]) == {"azure-openai-emulator": "azure_openai_emulator.cli:main"}
    assert list(points["pytest11"].values()) == ["azure_openai_emulator.pytest_plugin"]


def test_what_the_wheel_needs_has_the_bounds_of_the_requirements() -> None:
    ours, function = by_name(bounds("requirements-dev.in")), by_name(bounds("requirements.in"))
    needed = by_name(map(Requirement, PROJECT["dependencies"]))
    assert needed == {name: ours[name] for name in needed}
    extras = [Requirement(line) for lines in PROJECT["optional-dependencies"].values() for line in lines]
    assert set(function) <= set(needed) | set(by_name(extras)), "the proxy is in the chain there, too"
    for extra in extras:
        assert set(extra.specifier) <= set(ours[extra.name].specifier), f"{extra}, where ours is {ours[extra.name]}"
