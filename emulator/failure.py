"""Errors that end a command with one line. They are here so that the command line loads no room to know its errors."""


class Failure(Exception):
    """The command failed. The message is one line that says why and what to do, or empty when that has been said."""

    status = 1  # of the process


class UsageError(Failure):
    """A mistake of the person at the keyboard. The message is one line and helps to mend it."""

    status = 2
