"""Improvises answers to requests that have no recording, in Azure's wire form. The same request gets the same answer.

`cli`, the fixtures and the control API hand an Improviser to the fake Azure, which asks it where no recording answers.
"""

from .improviser import ORIGIN, Improviser
from .pace import Pace

__all__ = ["ORIGIN", "Improviser", "Pace"]
