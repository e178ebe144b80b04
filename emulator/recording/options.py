"""pytest's options for recording. Every run of pytest loads this file, so it imports nothing heavy.

An option that another plugin or a conftest.py defines stays theirs. pytest-recording defines `--record-mode` with the
same words: where it is installed, its option counts.
"""

import os
from typing import Any

import pytest

from ..option import count
from .mode import MODES, REPLACING

NO_RECORDING = "none"
_MODES = "; ".join(f"{name}: {asked}" for name, asked in MODES.items())
OPTIONS: dict[str, dict[str, Any]] = {
    "--record-mode": {"choices": tuple(MODES), "help": f"which requests go to the live service. {_MODES}"},
    "--record-errors": {"action": "store_true", "help": "also keep answers from status 400 on"},
    "--record-failed": {"action": "store_true", "help": "also keep the recordings of a failed test"},
    "--max-requests": {"type": count, "metavar": "N", "help": "make no more requests to the live service than this"},
    "--max-tokens": {"type": count, "metavar": "N", "help": "make no call that may exceed this many tokens in all"},
}
SHARED = "--record-mode"  # means the same, whichever plugin defines it


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("aoai-recording", "recording cassettes of live Azure OpenAI")
    for name, attributes in OPTIONS.items():
        add_option(parser, group, name, **attributes)


def add_option(parser: pytest.Parser, group: pytest.OptionGroup, name: str, **attributes: Any) -> None:
    """Adds the option, unless another plugin has it."""
    if is_free(parser, name):
        group.addoption(name, dest=_destination(name), **attributes)


def is_free(parser: pytest.Parser, name: str) -> bool:
    try:
        return name in parser.parse_known_and_unknown_args([name])[1]
    except pytest.UsageError:  # the option exists, and wants a value
        return False


def option(config: pytest.Config, name: str) -> Any:
    """The option's value; None when the option is another plugin's."""
    return config.getoption(_destination(name), None)


def _destination(name: str) -> str:
    """The attribute for this plugin's value. Another plugin's option of the same name may mean something else."""
    words = name.strip("-").replace("-", "_")
    return words if name == SHARED else f"aoai_{words}"


def mode_of(config: pytest.Config) -> str:
    mode = option(config, SHARED)
    return mode if mode in tuple(MODES) else NO_RECORDING


def records(config: pytest.Config) -> bool:
    """Whether tests may call live Azure OpenAI. Decided before a test changes the environment."""
    return mode_of(config) != NO_RECORDING and not refusal(config) and bool(os.environ.get("AZURE_OPENAI_BASE"))


def refusal(config: pytest.Config) -> str | None:
    """The reason why no test may record in any mode, or None."""
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        return None
    return f"--record-mode={mode_of(config)} is refused where CI is set: CI replays what was recorded."


def asks_for_everything(config: pytest.Config) -> bool:
    """Whether every test would record."""
    return mode_of(config) in REPLACING
