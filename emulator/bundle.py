"""The files that come with the emulator (the proxy's code, the cassettes, the docs), and the name of its command.

In a checkout the files are beside this package. pyproject.toml puts them into the wheel, in the package's folder
`bundled`.
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
"""The page on recording, as messages name it."""


def folders_of(project: Path) -> list[Path]:
    """A project's folders of cassettes: `tests/cassettes`, `cassettes`, or both. When it has neither, the folder to
    make."""
    usual = [project / "tests" / "cassettes", project / "cassettes"]
    there = [folder for folder in usual if folder.is_dir()]
    return there or [usual[0] if (project / "tests").is_dir() else usual[1]]
