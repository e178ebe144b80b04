"""The differences between a call and the recordings nearest to it. The same differences decide which one answers."""

import shlex
from typing import Any

from ..azure.question import question_of
from ..bundle import COMMAND
from ..match import diagnose
from ..match.diagnose import MISSING, Difference, Near
from ..match.nearest import Candidate
from ..tape.canonical import Key
from ..tape.interaction import Interaction
from .asked import Asked
from .call import SHOWN_BODY_BYTES
from .calls import find
from .refusal import Refusal, invalid_query
from .subject import Subject

SHOWN_NEAREST = 3
MOST_NUMBER = 10**9


def read(subject: Subject, asked: Asked) -> dict[str, Any]:
    """`nearest` lists the recordings to choose from. `rows` are the differences from the one that the query names, or
    from the first of them."""
    exchange, library = find(subject, asked), subject.azure.library
    question = question_of(exchange.method, exchange.target, exchange.body)
    if question.key is None or exchange.dropped:
        why = "the journal no longer keeps its body" if exchange.dropped else "its address is none of Azure OpenAI's"
        raise Refusal(404, "nothing_to_compare", f"Call {exchange.number} compares with no recording: {why}.")
    near = diagnose.nearest_to(question.key, exchange.body, library)
    wanted = _wanted(subject, asked, near)
    rows = [] if wanted is None else _rows(subject, wanted, question.key, exchange.body)
    name = _place(wanted)[0] if wanted else None
    return {
        "message": exchange.miss,
        "wanted": wanted and dict(zip(("name", "number"), _place(wanted), strict=True)),
        "nearest": [_told(one) for one in near[:SHOWN_NEAREST]],
        "rows": rows,
        "would_match": library.has(question.key, exchange.body),
        "ways": _ways(name),
    }


def _told(near: Near) -> dict[str, Any]:
    name, number = _place(near.candidate.interaction)
    return {"name": name, "number": number, "weight": round(near.weight, 3)}


def _wanted(subject: Subject, asked: Asked, near: list[Near]) -> Interaction | None:
    name, number = asked.query.get("with"), asked.number("number", 1, MOST_NUMBER, 1)
    if name is None:
        if "number" in asked.query:
            raise invalid_query("number needs the cassette's name: with=chat/story&number=2.", "number")
        return near[0].candidate.interaction if near else None
    label = f"{name} #{number}"
    for interaction in subject.azure.library.interactions():
        if interaction.label == label:
            return interaction
    raise Refusal(404, "no_such_cassette", "There is no such recording; GET /_emulator/cassettes lists them.", "with")


def _rows(subject: Subject, recorded: Interaction, key: Key, body: bytes) -> list[dict[str, Any]]:
    """The differences, without those that this recording allows."""
    assert recorded.request.meaning is not None  # the library takes no recording without a meaning
    candidates = subject.azure.library.candidates(key)
    unknown = Candidate(recorded.request.meaning, recorded)
    candidate = next((one for one in candidates if one.interaction is recorded), unknown)
    return [_row(one) for one in diagnose.differing(candidate, key, body)]


def _row(difference: Difference) -> dict[str, Any]:
    kinds = {(True, False): "only_sent", (False, True): "only_recorded"}
    sides = difference.recorded is MISSING, difference.sent is MISSING
    shown = [_value(side) for side in (difference.recorded, difference.sent)]
    return {
        "path": difference.path,
        "kind": kinds.get(sides, "changed"),
        "recorded": shown[0],
        "sent": shown[1],
        "weight": round(difference.weight, 3),
    }


def _value(side: Any) -> Any:
    """JSON as it is. Bytes become text."""
    if side is MISSING:
        return None
    return side[:SHOWN_BODY_BYTES].decode(errors="replace") if isinstance(side, bytes) else side


def _place(interaction: Interaction) -> tuple[str, int]:
    name, _, number = interaction.label.rpartition(" #")
    return (name, int(number)) if number.isdigit() else (interaction.label, 1)


def _ways(name: str | None) -> list[str]:
    """Commands that record what is missing, to copy."""
    quoted = shlex.quote(name) if name else "NAME"
    return [f"{COMMAND} record --cassette {quoted}", "pytest --record-mode=new_episodes"]
