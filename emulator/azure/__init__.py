"""What Azure would answer: routes, authentication, error bodies, the managed identity endpoint, the journal. May import
`match`, `scrub` and `tape`."""

from .app import FakeAzure

__all__ = ["FakeAzure"]
