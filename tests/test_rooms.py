"""Imports run one way: from the commands down to the cassettes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = {  # a room, or a file beside the rooms, imports only lower layers, never its own
    "emulator": (
        "__main__",
        "cli pytest_plugin",
        "commands",
        "page recording demo emulation",
        "synthetic lint doctor usage",
        "stack folder transcript",
        "host azure deployment saying",
        "match scrub",
        "tape",
    ),
    "emulator/host": (
        "__main__",
        "command",
        "server",
        "front settings calls",
        "workers key",
        "routing http unanswered cors",
        "app arguments",
    ),
    "benchmarks": ("__main__", "capacity", "reported", "measured", "compared", "bench workload summary"),
}
FOUNDATIONS = {  # any room may import these
    "emulator": {"bundle", "connection", "failure", "loading", "model", "option", "server", "upgrade"},
}
STRANGERS = {"function_app.py": "emulator", "proxy": "emulator", "emulator": "proxy function_app"}


def test_imports_run_down_the_house() -> None:
    assert [
        told for house in LAYERS for file in files(house) for told in upward(house, file, (ROOT / file).read_text())
    ] == []


def test_the_function_and_the_emulator_never_import_each_other() -> None:
    met = [
        f"{file} imports {module}"
        for place, strangers in STRANGERS.items()
        for file in files(place)
        for module in imports(file, (ROOT / file).read_text())
        if module.split(".")[0] in strangers.split()
    ]
    assert met == []


@pytest.mark.parametrize(
    ("house", "file", "planted"),
    [
        ("emulator", "tape/cassette.py", "from ..match.library import Library"),
        ("emulator", "match/nearest.py", "from ..scrub import secret"),
        ("emulator", "azure/app.py", "import emulator.recording.live"),
        ("emulator", "server.py", "from .stack import LocalStack"),
        ("emulator/host", "routing/route.py", "def later():\n    from ..workers import public"),
        ("benchmarks", "compared/site.py", "from ..measured.traffic import of_leaving"),
    ],
)
def test_a_planted_import_is_found(house: str, file: str, planted: str) -> None:
    assert len(list(upward(house, Path(house, file), planted))) == 1


def files(place: str) -> list[Path]:
    """Relative to the root, so that they read as modules."""
    found = sorted((ROOT / place).rglob("*.py")) or [ROOT / place]
    return [file.relative_to(ROOT) for file in found]


def upward(house: str, file: Path, source: str) -> Iterator[str]:
    """The imports of `file` from rooms that are not below its own."""
    foundations = FOUNDATIONS.get(house, set())
    depth = {room: len(LAYERS[house]) - at for at, layer in enumerate(LAYERS[house]) for room in layer.split()}
    depth |= dict.fromkeys(foundations, 0)
    own = room_in(house, ".".join(file.with_suffix("").parts))
    if not own or own == "__init__":
        return
    for module in imports(file, source):
        room = room_in(house, module)
        if room and room != own and depth[room] >= (depth[own] or 1):
            yield f"{file} imports {module}"


def room_in(house: str, module: str) -> str:
    """The room of a module: the first name below the package's."""
    below = module.removeprefix(house.replace("/", ".") + ".")
    return "" if below == module else below.split(".")[0]


def imports(file: Path, source: str) -> Iterator[str]:
    """Absolute names of the imported modules, or of the names imported from them."""
    package = file.parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = (*base, *([node.module] if node.module else ()))
            yield from (".".join((*parts, alias.name)) for alias in node.names)
