"""The recordings below some folders, and the files that cannot be read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..match.declared import of_cassette
from ..match.slack import NONE, Slack
from ..tape import cassette
from ..tape.cassette import COMPLETE, CassetteError
from ..tape.route import parse
from .finding import Finding, error
from .recording import Recording


@dataclass(frozen=True)
class Tapes:
    """`paths` has all cassettes, readable or not."""

    recordings: tuple[Recording, ...] = ()
    problems: tuple[Finding, ...] = ()
    paths: tuple[Path, ...] = ()

    @property
    def files(self) -> int:
        return len(self.paths)

    @property
    def whole(self) -> list[Recording]:
        """The recordings without broken answers, which have no proper end."""
        return [recording for recording in self.recordings if recording.response.outcome == COMPLETE]


def read(folders: Iterable[Path], slack: Slack = NONE) -> Tapes:
    """`slack` is what may vary in all requests. Never raises: what cannot be read is among the problems."""
    recordings, problems = list[Recording](), list[Finding]()
    found = cassette.find(folders)
    for path, name in found:
        file = shown(path)
        try:
            tape = cassette.load(path, name)
            own = of_cassette(tape)
        except CassetteError as unreadable:
            place = f"{file}:{unreadable.line}" if unreadable.line else file
            problems.append(error("unreadable", place, unreadable.reason))
            continue
        synthetic = tape.notes.get("origin") == "synthetic"
        for number, interaction in enumerate(tape.interactions, 1):
            if route := parse(interaction.request.uri):
                recordings.append(Recording(file, number, interaction, route, synthetic, slack + own))
            else:
                address = interaction.request.uri.partition("?")[0]  # a query may hold keys
                message = f"{address} is no Azure OpenAI address"
                problems.append(error("unreadable", f"{file} #{number}", message))
    return Tapes(tuple(recordings), tuple(problems), tuple(path for path, _ in found))


def shown(path: Path) -> str:
    """The path as people in the current folder write it."""
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path)
