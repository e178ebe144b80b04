"""Answers to DSPy: its adapters write in the prompt which fields an answer has, of which types and in which form."""

from .fields import Fields, fields_of

__all__ = ["Fields", "fields_of"]
