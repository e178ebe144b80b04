"""Compares two requests side by side. Equal parts are folded into one row; differing words are marked."""

import itertools
import json
import unicodedata
from collections.abc import Iterable
from typing import Any

from ..match.diagnose import MISSING, Difference
from ..match.nearest import common_prefix, common_suffix
from ..tape.canonical import parse_body

MOST_ROWS = 500
SHOWN_CHARACTERS = 64 * 2**10  # of one value
SHOWN_CONTEXT = 2_000  # characters of a text before and after what differs
LONGEST_WORD = 30  # characters; by so many at most a mark grows to whole words
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Unicode's categories of invisible characters
SEEN = "\n\t"


def rows(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """One row for each difference, and one for all equal neighbours. `weight` is diagnose.Difference's, 0 for equal
    parts."""
    told = list[dict[str, Any]]()
    for is_same, group in itertools.groupby(differences, lambda one: one.is_same):
        neighbours = [*group]
        told += [_folded(neighbours)] if is_same else map(_row, neighbours)
    return told[:MOST_ROWS]


def summary(differences: Iterable[Difference]) -> str:
    paths = [one.path for one in differences if not one.is_same]
    if len(paths) == 1:
        return f"only {paths[0]} differs"
    return f"{len(paths):,} differences" if paths else "nothing differs"


def _folded(same: list[Difference]) -> dict[str, Any]:
    lines = sum(json.dumps(_value(one.sent), indent=2).count("\n") + 1 for one in same)
    told = f"{lines:,} equal line{'s' if lines > 1 else ''}"
    return _told(same[0].path, "same", folded=told, weight=0)


def _row(difference: Difference) -> dict[str, Any]:
    kinds = {(True, False): "only_sent", (False, True): "only_recorded"}
    recorded, sent = difference.recorded, difference.sent
    are_texts = isinstance(recorded, str) and isinstance(sent, str)
    return _told(
        difference.path,
        kinds.get((recorded is MISSING, sent is MISSING), "changed"),
        recorded=_value(recorded),
        sent=_value(sent),
        parts=dict(zip(("recorded", "sent"), marked(recorded, sent), strict=True)) if are_texts else None,
        weight=round(difference.weight, 3),
    )


def _told(path: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "kind": kind} | dict.fromkeys(("recorded", "sent", "parts", "folded")) | more


def marked(recorded: str, sent: str) -> list[list[str]]:
    """For each text: the part before the difference, the differing words, and the part after. Words that look alike
    have JSON's escapes."""
    start, end = _words(recorded, sent)
    middles = [text[start : len(text) - end] for text in (recorded, sent)]
    is_spelled = len({unicodedata.normalize("NFKC", one) for one in middles}) == 1 or any(map(_hides, middles))
    return [
        [_end_of(text[:start]), _spelled(middle) if is_spelled else middle, _start_of(text[len(text) - end :])]
        for text, middle in zip((recorded, sent), middles, strict=True)
    ]


def _words(recorded: str, sent: str) -> tuple[int, int]:
    """The lengths of the common start and the common end, cut back to whole words."""
    start = common_prefix(recorded, sent)
    end = common_suffix(recorded[start:], sent[start:])
    starts = (start - back for back in range(min(LONGEST_WORD, start) + 1))
    ends = (end - back for back in range(min(LONGEST_WORD, end) + 1))
    whole_start = next((at for at in starts if not at or recorded[at - 1].isspace()), start)
    whole_end = next((at for at in ends if not at or recorded[len(recorded) - at].isspace()), end)
    return whole_start, whole_end


def _hides(text: str) -> bool:
    return any(unicodedata.category(one) in UNSEEN and one not in SEEN for one in text)


def _spelled(text: str) -> str:
    return json.dumps(text)[1:-1]


def _end_of(text: str) -> str:
    return text if len(text) <= SHOWN_CONTEXT else f"…{text[-SHOWN_CONTEXT:]}"


def _start_of(text: str) -> str:
    return text if len(text) <= SHOWN_CONTEXT else f"{text[:SHOWN_CONTEXT]}…"


def _value(side: Any) -> Any:
    """JSON as it is. Bytes become text, and a missing value null."""
    if side is MISSING:
        return None
    if isinstance(side, bytes):
        side = side[:SHOWN_CHARACTERS].decode(errors="replace")
    return side[:SHOWN_CHARACTERS] if isinstance(side, str) else side


def text(body: bytes) -> str | None:
    """The body as indented JSON; None where that has more than SHOWN_CHARACTERS."""
    parsed = parse_body(body)
    whole = (
        body.decode(errors="replace") if isinstance(parsed, bytes) else json.dumps(parsed, indent=2, ensure_ascii=False)
    )
    return whole if len(whole) <= SHOWN_CHARACTERS else None
