"""Commands in the documentation can be typed: verbs, options and modules are there, and shells read the blocks."""

import argparse
import re
import subprocess
from pathlib import Path

import pytest

from emulator import cli
from tests.pages import ROOT, blocks, code_of, every_page, text_of

OURS = re.compile(r"(?:python -m emulator|(?<!install )azure-openai-emulator) (?P<verb>[a-z]\w*)(?P<rest>[^|#&]*)")
MODULE = re.compile(r"python -m ((?:tests|benchmarks|emulator)\b[\w.]*)(?P<rest>[^|#&]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
PLACE = re.compile(r"<[\w ]+>")  # what the reader fills in


def verbs() -> dict[str, argparse.ArgumentParser]:
    (found,) = (action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


VERBS = verbs()


def files_of(module: str) -> list[Path]:
    """Where `python -m` finds a module: its file, or those of its package. Empty where there is none."""
    path = ROOT / module.replace(".", "/")
    return sorted(path.glob("*.py")) or [file for file in [path.with_suffix(".py")] if file.is_file()]


def wrong(command: str) -> list[str]:
    """The verb or the options of a command that are not there."""
    found = []
    for use in OURS.finditer(command):
        if use["verb"] not in VERBS:
            found.append(use["verb"])
        else:
            known = VERBS[use["verb"]]._option_string_actions
            found += [option for option in OPTION.findall(use["rest"]) if option not in known]
    for use in MODULE.finditer(command):
        if not (files := files_of(use[1])):
            found.append(use[1])
        elif use[1] != "emulator":  # whose verbs have been looked at
            source = "".join(file.read_text(encoding="utf-8") for file in files).replace('"--', '"')
            found += [option for option in OPTION.findall(use["rest"]) if f'"{option[2:]}"' not in source]
    return found


@pytest.mark.parametrize("page", every_page())
def test_verbs_options_and_modules_are_there(page: str) -> None:
    assert [(command, names) for command in code_of(page) if (names := wrong(command))] == []


@pytest.mark.parametrize(
    "command",
    ["python -m emulator play", "azure-openai-emulator serve --prot 1", "python -m tests.load.soaks", "python -m"
     " benchmarks.capacity --people 3"],
)  # fmt: skip
def test_a_command_that_cannot_be_typed_is_noticed(command: str) -> None:
    assert wrong(command)


def test_the_page_of_the_command_line_has_every_verb_with_its_options() -> None:
    rows = re.findall(r"^\| `(\w+)([^`]*)` \|", text_of("docs/command-line.md"), re.MULTILINE)
    assert {verb for verb, _ in rows} == set(VERBS)
    for verb, rest in rows:
        assert not [name for name in OPTION.findall(rest) if name not in VERBS[verb]._option_string_actions]


def test_what_azd_is_told_are_variables_of_the_templates() -> None:
    known = set(re.findall(r"\$\{(\w+)", (ROOT / "infra/main.parameters.json").read_text(encoding="utf-8")))
    told = " ".join(map(text_of, every_page()))
    named = set(re.findall(r"azd env (?:set|get-value) ([A-Z_]+\w)", told))
    assert named - {"NAME"} <= known
    assert len(named) > 5


@pytest.mark.parametrize(("page", "block"), [(page, block) for page in every_page() for block in blocks(page, "bash")])
def test_a_shell_reads_the_block(page: str, block: str) -> None:
    read = subprocess.run(["bash", "-n"], input=PLACE.sub("X", block), capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")
