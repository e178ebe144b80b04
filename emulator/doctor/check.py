"""One check of the doctor, and its result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`result` is ok, note (worth knowing) or problem. `found` is the observation, and `meaning` says what to do."""

    name: str
    result: str
    found: str
    meaning: str = ""
    tokens: int = 0
