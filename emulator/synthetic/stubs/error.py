"""A stub that cannot be."""


class StubError(ValueError):
    """What is wrong with a stub, and what to write instead."""
