"""Synthetic recordings: requests of real clients, and answers in the bytes that Azure would send.

A scenario is client code and the answers that a scripted Azure gives it. `python -m emulator.synthetic` runs scenarios
through the real proxy, and keeps requests and answers in cassettes marked `origin: synthetic`.
`recording`, the command line and the pytest plugin may import this room.
"""

from .answer import (
    calls,
    deletes,
    draws,
    embeds,
    filtered,
    hears,
    judged_later,
    keeps,
    lists_input,
    not_found,
    rate_limited,
    rate_limited_in_stream,
    resumes,
    says,
    speaks,
)
from .asked import Answer, Asked, Reply
from .author import Author, AuthoringError, Scenario

__all__ = [
    "Answer",
    "Asked",
    "Author",
    "AuthoringError",
    "Reply",
    "Scenario",
    "calls",
    "deletes",
    "draws",
    "embeds",
    "filtered",
    "hears",
    "judged_later",
    "keeps",
    "lists_input",
    "not_found",
    "rate_limited",
    "rate_limited_in_stream",
    "resumes",
    "says",
    "speaks",
]
