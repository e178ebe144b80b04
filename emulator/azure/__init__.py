"""What Azure would answer: routes, authentication, error bodies, the managed identity endpoint, the journal."""

from .app import FakeAzure

__all__ = ["FakeAzure"]
