"""`python -m emulator record --verify`: sends the recorded requests to the live service again and reports differences.
It writes nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from ..scrub.scrub import Known, SecretFound, scrubbed
from ..scrub.secret import PLACEHOLDER
from ..tape import cassette
from ..tape.cassette import Interaction, is_synthetic
from ..tape.estimate import expected_tokens
from ..tape.route import parse
from .budget import Budget, Spent, used
from .drift import Drift, drifts
from .live import Live
from .progress import Bar
from .relay import Tape


@dataclass(frozen=True)
class Verified:
    """`drift` has the differences. `skipped` is the reason why the request was not sent again."""

    label: str
    drift: tuple[Drift, ...] = ()
    skipped: str = ""

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.label}: not asked again: {self.skipped}"
        return "\n  ".join([f"{self.label}:", *map(str, self.drift)]) if self.drift else f"{self.label}: as recorded"


def chosen(folders: Iterable[Path], names: list[str]) -> list[Interaction]:
    """The interactions in the cassettes of these names, or in all recorded cassettes when there are no names. Raises
    CassetteError, and LookupError for a name without a cassette."""
    found = {name: path for path, name in cassette.find(folders)}
    if missing := [name for name in names if name not in found]:
        raise LookupError(f"There is no cassette {missing[0]}. There are: {', '.join(found)}.")
    tapes = [cassette.load(found[name], name) for name in names or found]
    return [interaction for tape in tapes if names or not is_synthetic(tape) for interaction in tape.interactions]


async def verify(recorded: list[Interaction], live: Live, budget: Budget) -> AsyncIterator[tuple[Verified, Spent]]:
    """Sends every recorded request again, one after the other. Raises LiveError."""
    spent = Spent()
    for interaction in recorded:
        reason = stale(interaction) or budget.refusal(spent, expected_tokens(interaction.request))
        if reason:
            yield Verified(interaction.label, skipped=reason), spent
            continue
        verified, spent = await again(interaction, live, spent)
        yield verified, spent


async def again(interaction: Interaction, live: Live, spent: Spent) -> tuple[Verified, Spent]:
    request = interaction.request
    try:
        tape = Tape(await live.ask(request.method, target_of(request.uri), request.headers, request.body))
        try:
            while (piece := await tape.next()) is not None:
                tape.keep(piece)
        finally:
            await tape.close()
        today = scrubbed(Interaction(request, tape.response()), Known(live.base, live.secrets)).response
    except httpx.HTTPError as failure:
        what = f"the answer did not come: {type(failure).__name__} {failure}".strip()
        return Verified(interaction.label, (Drift("error", what),)), spent
    except SecretFound as found:
        return Verified(interaction.label, skipped=str(found)), spent
    return Verified(interaction.label, tuple(drifts(interaction.response, today))), spent + used(request, today)


def stale(interaction: Interaction) -> str:
    """The reason why a request can no longer have an answer, or None."""
    route = parse(interaction.request.uri)
    if route is None:
        return "it is not a request to Azure OpenAI"
    if "/" in route.operation and route.operation.startswith("responses/") and "resp_" in route.operation:
        return "its response no longer exists"
    if b'"previous_response_id"' in interaction.request.body:
        return "the response before it no longer exists"
    return ""


def target_of(uri: str) -> str:
    return uri.removeprefix(PLACEHOLDER) if uri.startswith(PLACEHOLDER) else "/" + uri.split("/", 3)[3]


def run(folders: list[Path], names: list[str], live: Live, budget: Budget) -> int:
    """Print the drift. Returns 1 when it has an error, else 0. Raises LiveError, CassetteError and LookupError."""
    recorded = chosen(folders, names)
    if not recorded:
        raise LookupError("There are no recorded cassettes; synthetic ones are verified when they are named.")
    live.check_credential()
    return asyncio.run(_run(recorded, live, budget))


async def _run(recorded: list[Interaction], live: Live, budget: Budget) -> int:
    worst = 0
    spent = Spent()
    with Bar("verifying", len(recorded), Console()) as bar:
        async for verified, spent in verify(recorded, live, budget):
            bar.say(str(verified))
            bar.advance(spent)
            worst |= any(drift.severity == "error" for drift in verified.drift)
    print(spent)
    await live.aclose()
    return worst
