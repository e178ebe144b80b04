"""Which of the recorded deployments the proxy can serve.

A recording of another tool may name its model as no deployment in Azure can be called, such as `openai/gpt-4o`.
"""

import re

from .match.library import Library
from .tape.document import one_line

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # what AZURE_OPENAI_DEPLOYMENT takes
LONGEST_SHOWN = 60


def served(library: Library) -> list[str]:
    """The one with the most recordings first."""
    return [name for name in library.deployments() if NAME.fullmatch(name)]


def not_served(library: Library) -> list[str]:
    """A line for each of the others, with its first recording."""
    first: dict[str, str] = {}
    for interaction in library.interactions():
        name = interaction.request.meaning and interaction.request.meaning.key.deployment
        if name and not NAME.fullmatch(name):
            first.setdefault(name, interaction.label)
    return [
        f"{one_line(label)}: no deployment in Azure can be called {one_line(repr(name), LONGEST_SHOWN)}"
        for name, label in first.items()
    ]
