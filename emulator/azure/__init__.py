"""The fake Azure: routes, authentication, error bodies, the managed identity endpoint, the journal. The stack and the
rooms above it may import this room."""

from .app import FakeAzure

__all__ = ["FakeAzure"]
