"""The routes of stubs."""

from typing import Any

from .asked import Asked
from .subject import Subject


def listed(subject: Subject, _: Asked) -> dict[str, Any]:
    return {"stubs": subject.declared.told()}


def add(subject: Subject, asked: Asked) -> dict[str, Any]:
    return subject.declared.add(asked.body)


def clear(subject: Subject, asked: Asked) -> dict[str, Any]:
    subject.declared.clear()
    return listed(subject, asked)
