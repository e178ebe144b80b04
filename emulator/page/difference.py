"""The differences between a call and the recordings nearest to it. The same differences decide which one answers."""

import json
import shlex
from typing import Any

from ..azure.journal import Exchange
from ..azure.question import question_of
from ..bundle import COMMAND
from ..match import diagnose
from ..match.diagnose import Difference, Near
from ..match.nearest import Candidate
from ..tape.canonical import Key
from ..tape.interaction import Interaction
from . import call, compared
from .asked import Asked
from .calls import find
from .refusal import Refusal, invalid_query
from .subject import Subject

SHOWN_NEAREST = 3
MOST_NUMBER = 10**9
LONGEST_CONTAINED = 60  # characters of the prompt that the proposed stub waits for
NOTHING_NEAR = "no recording of this operation"


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
    differences = _differences(subject, wanted, question.key, exchange.body) if wanted else []
    name, number = _place(wanted) if wanted else (None, None)
    return {
        "message": exchange.miss,
        "wanted": wanted and {"name": name, "number": number},
        "nearest": [_told(one) for one in near[:SHOWN_NEAREST]],
        "summary": compared.summary(differences) if wanted else NOTHING_NEAR,
        "rows": compared.rows(differences),
        "texts": {
            "recorded": compared.text(wanted.request.body) if wanted else None,
            "sent": compared.text(exchange.body),
        },
        "would_match": library.has(question.key, exchange.body),
        "ways": _ways(name, exchange),
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


def _differences(subject: Subject, recorded: Interaction, key: Key, body: bytes) -> list[Difference]:
    """The differences, without those that this recording allows."""
    assert recorded.request.meaning is not None  # the library takes no recording without a meaning
    candidates = subject.azure.library.candidates(key)
    unknown = Candidate(recorded.request.meaning, recorded)
    candidate = next((one for one in candidates if one.interaction is recorded), unknown)
    return diagnose.differing(candidate, key, body, with_same=True)


def _place(interaction: Interaction) -> tuple[str, int]:
    name, _, number = interaction.label.rpartition(" #")
    return (name, int(number)) if number.isdigit() else (interaction.label, 1)


def _ways(name: str | None, exchange: Exchange) -> list[dict[str, str]]:
    """Ways to answer the miss. Each has `about`, a sentence, and `text`, a command or code to copy."""
    cassette = name or "NAME"
    ways = [
        {
            "about": "Record it: start this with the settings of your Azure OpenAI, and run your program again.",
            "text": f"{COMMAND} record --cassette {shlex.quote(cassette)}",
        },
        {
            "about": f"Record it in a test, which has the mark @pytest.mark.cassette({json.dumps(cassette)}).",
            "text": "pytest --record-mode=new_episodes",
        },
    ]
    lines = call.last_text(exchange.method, exchange.target, exchange.body).strip().splitlines()
    if lines:
        contains = json.dumps(lines[0][:LONGEST_CONTAINED], ensure_ascii=False)
        stub = f'aoai_emulator.on(contains={contains}).answers("…")'
        ways.append({"about": "Answer it in the test itself, without Azure.", "text": stub})
    return ways
