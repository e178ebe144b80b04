"""`host`: the local Functions host alone."""

from ..host.command import host as run

__all__ = ["run"]
