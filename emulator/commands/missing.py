"""The error for a verb that needs more packages than the others."""

from ..failure import UsageError


class NotInstalled(UsageError):
    """`reason` is a sentence without its full stop. `extra` is one of pyproject.toml's."""

    def __init__(self, reason: str, extra: str) -> None:
        super().__init__(f"{reason}. To install what is missing: pip install 'azure-openai-emulator[{extra}]'")
