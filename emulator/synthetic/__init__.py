"""Recordings that nobody recorded: real clients' requests, and answers written in the bytes Azure sends.

A scenario is a piece of client code and the answers a scripted Azure gives it; `python -m emulator.synthetic` runs the
scenarios through the real proxy and keeps what they asked, with the answers, as cassettes marked `origin: synthetic`.
`recording`, the command line and the pytest plugin may import it.
"""

from .answer import (
    calls,
    deletes,
    embeds,
    filtered,
    judged_later,
    keeps,
    lists_input,
    not_found,
    rate_limited,
    rate_limited_in_stream,
    resumes,
    says,
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
    "embeds",
    "filtered",
    "judged_later",
    "keeps",
    "lists_input",
    "not_found",
    "rate_limited",
    "rate_limited_in_stream",
    "resumes",
    "says",
]
