"""Microsoft's own Bicep compiler finds no fault in the templates."""

from pathlib import Path

from emulator.stack import ROOT
from tests.infra.compiler import bicep, copy_of_infra, needs_compiler

pytestmark = needs_compiler
FAULTS = {  # the linter's name: (file, text, replacement)
    "no-unused-params": ("storage.bicep", "param location string", "param place string\nparam location string"),
    "no-module-name": ("main.bicep", "  scope: group\n", "  name: 'proxy'\n  scope: group\n"),
    "use-recent-api-versions": ("access.bicep", "accounts@2026-05-01'", "accounts@2023-05-01'"),
    "BCP037": ("function.bicep", "#disable-next-line BCP037", ""),
    "BCP057": ("account.bicep", "name: name", "name: nam"),
}


def said(infra: Path) -> str:
    return bicep("lint", "--pattern", "*.bicep", folder=infra).stderr


def test_no_template_has_an_error_or_a_warning() -> None:
    assert said(ROOT / "infra") == ""


def test_each_planted_fault_is_named(tmp_path: Path) -> None:
    infra = copy_of_infra(tmp_path)
    for file, text, becomes in FAULTS.values():
        original = (infra / file).read_text(encoding="utf-8")
        assert text in original
        (infra / file).write_text(original.replace(text, becomes, 1), encoding="utf-8")
    found = said(infra)
    assert not [name for name in FAULTS if name not in found]


def test_format_changes_nothing(tmp_path: Path) -> None:
    infra = copy_of_infra(tmp_path)
    (infra / "odd.bicep").write_text("param   x   string\n")
    assert bicep("format", "--pattern", "*.bicep", folder=infra).returncode == 0
    assert (infra / "odd.bicep").read_text() == "param x string\n"
    for path in (ROOT / "infra").glob("*.bicep"):
        assert path.read_text(encoding="utf-8") == (infra / path.name).read_text(encoding="utf-8"), path.name
