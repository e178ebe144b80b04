"""The error for a stub that is declared wrongly."""


class StubError(ValueError):
    """The message says what is wrong with the stub, and what to write instead."""
