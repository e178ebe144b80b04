"""`host`: the local Functions host alone."""

from ..host.command import add_arguments
from ..host.command import host as run

__all__ = ["add_arguments", "run"]
