"""The recorded deployments that the proxy can serve.

Another tool may record a model under a name that no deployment in Azure can have, such as `openai/gpt-4o`.
"""

from .match.library import Library
from .model import NAME
from .tape.document import one_line

LONGEST_SHOWN = 60


def served(library: Library) -> list[str]:
    """The deployments that the proxy can serve, the one with the most recordings first."""
    return [name for name in library.deployments() if NAME.fullmatch(name)]


def not_served(library: Library) -> list[str]:
    """A line for each deployment that the proxy cannot serve, with its first recording."""
    first: dict[str, str] = {}
    for interaction in library.interactions():
        name = interaction.request.meaning and interaction.request.meaning.key.deployment
        if name and not NAME.fullmatch(name):
            first.setdefault(name, interaction.label)
    return [
        f"{one_line(label)}: no deployment in Azure can have the name {one_line(repr(name), LONGEST_SHOWN)}"
        for name, label in first.items()
    ]
