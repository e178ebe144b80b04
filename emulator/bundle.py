"""What comes with the emulator: the proxy's code, the cassettes, the docs. And what the emulator is called here.

In a checkout they lie beside this package. pyproject.toml puts them into the wheel, as the package's folder `bundled`.
"""

from pathlib import Path

PACKAGE = __package__  # `emulator` in a checkout, `azure_openai_emulator` where it is installed
_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "bundled"
_IS_INSTALLED = _INSTALLED.is_dir()

ROOT = _INSTALLED if _IS_INSTALLED else _HERE.parent
CASSETTES = ROOT / "cassettes"
COMMAND = "azure-openai-emulator" if _IS_INSTALLED else f"python -m {PACKAGE}"
DOCS = ROOT / "docs"
GUIDE = str(DOCS / "recording.md") if _IS_INSTALLED else "docs/recording.md"
"""How to record, for whoever reads a message."""


def folders_of(project: Path) -> list[Path]:
    """Where a project keeps its cassettes: `tests/cassettes`, `cassettes`, or both. Where it has neither, the one to
    make."""
    usual = [project / "tests" / "cassettes", project / "cassettes"]
    there = [folder for folder in usual if folder.is_dir()]
    return there or [usual[0] if (project / "tests").is_dir() else usual[1]]
