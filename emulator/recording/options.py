"""The options of pytest for recording, and what they ask for. Read on every run of pytest: it imports nothing heavy.

Whatever another plugin or a conftest.py has claimed is left to it: pytest-recording has a `--record-mode` of its own,
with the same words, and decides it where it is installed.
"""

import os
from typing import Any

import pytest

from ..option import count
from .mode import MODES, REPLACING

NO_RECORDING = "none"
_MODES = "; ".join(f"{name}: {asked}" for name, asked in MODES.items())
OPTIONS: dict[str, dict[str, Any]] = {
    "--record-mode": {"choices": tuple(MODES), "help": f"what is asked of the live service. {_MODES}"},
    "--record-errors": {"action": "store_true", "help": "keep answers from status 400 on as well"},
    "--record-failed": {"action": "store_true", "help": "keep what a test recorded that fails as well"},
    "--max-requests": {"type": count, "metavar": "N", "help": "make no more requests to the live service than this"},
    "--max-tokens": {"type": count, "metavar": "N", "help": "make no call that may use more tokens than this in all"},
}
SHARED = "--record-mode"  # whoever has it: it says the same


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("aoai-recording", "recording cassettes of live Azure OpenAI")
    for name, attributes in OPTIONS.items():
        add_option(parser, group, name, **attributes)


def add_option(parser: pytest.Parser, group: pytest.OptionGroup, name: str, **attributes: Any) -> None:
    """Unless somebody else has it."""
    if is_free(parser, name):
        group.addoption(name, dest=_destination(name), **attributes)


def is_free(parser: pytest.Parser, name: str) -> bool:
    try:
        return name in parser.parse_known_and_unknown_args([name])[1]
    except pytest.UsageError:  # it is known, and wants a value
        return False


def option(config: pytest.Config, name: str) -> Any:
    """What was said; None where the option is somebody else's."""
    return config.getoption(_destination(name), None)


def _destination(name: str) -> str:
    """Another plugin's option of the same name may mean something else, and is kept elsewhere."""
    words = name.strip("-").replace("-", "_")
    return words if name == SHARED else f"aoai_{words}"


def mode_of(config: pytest.Config) -> str:
    mode = option(config, SHARED)
    return mode if mode in tuple(MODES) else NO_RECORDING


def records(config: pytest.Config) -> bool:
    """Whether live Azure OpenAI may be asked, before a test changes the environment."""
    return mode_of(config) != NO_RECORDING and not refusal(config) and bool(os.environ.get("AZURE_OPENAI_BASE"))


def refusal(config: pytest.Config) -> str | None:
    """Why no test may record, whatever the mode."""
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        return None
    return f"--record-mode={mode_of(config)} is refused where CI is set: CI replays what was recorded."


def asks_for_everything(config: pytest.Config) -> bool:
    """So that every test would record."""
    return mode_of(config) in REPLACING
