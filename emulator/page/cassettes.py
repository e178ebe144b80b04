"""The routes of the cassettes: list them, read one as a conversation. No route changes a cassette."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..saying import facts, said
from ..tape import cassette
from ..tape.cassette import Cassette, CassetteError
from .asked import Asked
from .call import shown
from .export import curl
from .hidden import headers_shown
from .refusal import Refusal
from .subject import Subject


def listed(subject: Subject, _: Asked) -> dict[str, Any]:
    played = Counter(exchange.recording for exchange in subject.azure.journal.exchanges)
    return {"cassettes": [_told(path, name, played) for path, name in cassette.find(subject.folders)]}


def _told(path: Path, name: str, played: Counter[str | None]) -> dict[str, Any]:
    try:
        tape, problems = cassette.load(path, name), list[str]()
    except CassetteError as error:
        tape, problems = Cassette(path, ()), [str(error)]
    return {
        "name": name,
        "about": _text(tape.notes.get("about")),
        "origin": _text(tape.notes.get("origin")),
        "recordings": len(tape.interactions),
        "played": sum(played[interaction.label] > 0 for interaction in tape.interactions),
        "problems": problems,
    }


def one(subject: Subject, asked: Asked) -> dict[str, Any]:
    tape = find(subject, asked.parts["name"])
    notes = {name: _text(value) for name, value in tape.notes.items()}
    return {"name": asked.parts["name"], "notes": notes, "recordings": list(_recordings(subject, tape))}


def find(subject: Subject, name: str) -> Cassette:
    """The cassette of this name, out of those in the folders; no path is made of the name. Raises Refusal."""
    paths = {known: path for path, known in cassette.find(subject.folders)}
    if name not in paths:
        raise Refusal(
            404, "no_such_cassette", "There is no cassette of this name; GET /_emulator/cassettes lists them."
        )
    try:
        return cassette.load(paths[name], name)
    except CassetteError as error:
        raise Refusal(404, "no_such_cassette", str(error)) from error


def _recordings(subject: Subject, tape: Cassette) -> Iterator[dict[str, Any]]:
    answered = defaultdict[str | None, list[int]](list)
    for exchange in subject.azure.journal.exchanges:
        answered[exchange.recording].append(exchange.number)
    for number, interaction in enumerate(tape.interactions, 1):
        request, response = interaction.request, interaction.response
        asked = replace(request, uri=_target(request.uri))
        yield {
            "number": number,
            "request": {
                "method": request.method,
                "uri": request.uri,
                "headers": headers_shown(request.headers),
                "body": shown(request.body),
                "body_bytes": len(request.body),
            },
            "status": response.status,
            "said": [{"who": who, "text": text} for who, text in said(interaction)],
            "frames": len(response.frames()),
            "frame_at_ms": response.frame_at_ms,
            "outcome": response.outcome,
            "facts": facts(interaction),
            "calls": answered[interaction.label],
            "curl": curl(subject, asked, f"in {tape.path}"),
        }


def _target(uri: str) -> str:
    parts = urlsplit(uri)
    return parts._replace(scheme="", netloc="").geturl()


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
