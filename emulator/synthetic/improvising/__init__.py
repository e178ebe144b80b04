"""Answers to what nobody recorded: made from the request alone, in Azure's wire form, the same for the same request.

`cli`, the fixtures and the control API hand an Improviser to the fake Azure, which asks it where no recording answers.
"""

from .improviser import ORIGIN, Improviser
from .pace import Pace

__all__ = ["ORIGIN", "Improviser", "Pace"]
