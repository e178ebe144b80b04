"""A check's finding, and its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "info"]
Problems = Iterator[tuple[int | None, str]]  # of one recording: (number of the event, problem)


@dataclass(frozen=True)
class Finding:
    """`code` names the kind of finding for programs. `place` is a file, and where known the interaction's number, the
    event's number and the JSON path: `cassettes/chat/stream.yaml #1 event 3 choices[0].delta`."""

    severity: Severity
    code: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity} {self.place}".rstrip() + f": {self.message}"


def error(code: str, place: str, message: str) -> Finding:
    return Finding("error", code, place, message)


def info(code: str, place: str, message: str) -> Finding:
    return Finding("info", code, place, message)
