"""One thing that the doctor looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`result` is ok, note (worth knowing) or problem; `found` is what was seen, `meaning` what to do."""

    name: str
    result: str
    found: str
    meaning: str = ""
    tokens: int = 0
