"""Keeps the answers of a live service in cassettes.

One cassette is open at a time. `begin` names it, `start` and `end` collect its requests and answers, and `finish`
writes it, whole or not at all, and never with a secret. Several processes may record the same cassette.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ..match.declared import MEMBER as SLACK
from ..match.declared import of_cassette
from ..match.slack import NONE, Slack
from ..scrub.scrub import Known, SecretFound, at_placeholder, require_clean, scrubbed
from ..tape import cassette
from ..tape.cassette import Cassette, Interaction, Request, Response, is_name, is_synthetic
from ..tape.estimate import expected_tokens
from .budget import Spent, used
from .merge import identity, merged
from .mode import REPLACING
from .proposal import proposal
from .run import Run, locked
from .sendable import RecordingRefused, require_sendable

SETTLE_SECONDS = 5.0  # the tape may get an answer's last byte so much later than the client


class Place(NamedTuple):
    """The place of an answer: the number of the cassette, and of the request in it."""

    cassette: int
    request: int


Told = Callable[[str], None]


class Unsettled(NamedTuple):
    """An answer that has not been checked yet."""

    place: Place
    request: Request
    response: Response
    refused: Told


class Recorder:
    """`folder` gets the cassettes; `known` are the secrets that may not appear in them. Statuses from 400 on are kept
    only with `keep_errors`. `slack` is what may vary in all of them, beside what each cassette says; `declared` is
    both, of the one that was written last. `say` tells a person what happens, and `told_of` hears of each answer that
    is kept. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        mode: str,
        known: Known,
        run: Run,
        *,
        keep_errors: bool = False,
        notes: Mapping[str, Any] | None = None,
        slack: Slack = NONE,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder, self.mode, self.known, self.run = folder, mode, known, run
        self.keep_errors, self.notes, self.slack, self.say = keep_errors, dict(notes or {}), slack, say
        self.name: str | None = None
        self.declared = NONE
        self.told_of: Callable[[Interaction], None] = lambda _: None
        self._changed, self._settling = threading.Condition(), threading.Lock()
        self._new: list[tuple[Place, Interaction]] = []
        self._number = self._order = self._open = 0
        self._about = ""
        self._synthetic: bool | None = None
        self._unsettled: list[Unsettled] = []

    # --- one cassette -------------------------------------------------------------------------------------------------

    def begin(self, name: str, about: str = "") -> None:
        """Opens the cassette of this name for the recordings that follow. A new cassette shows `about`, one sentence.
        Raises RecordingRefused."""
        if not is_name(name):
            raise RecordingRefused(
                f"{name!r} is no cassette's name: use letters, digits, - _ . and /, as in chat/story."
            )
        with self._changed:
            self._number += 1
            self.name, self._new, self._order, self._about = name, [], 0, about
            self._synthetic = None

    def asks_live(self, recorded: bool) -> bool:
        """Whether a request goes to the live service. The caller says whether it has a recording."""
        if self.name is None or self.mode == "none":
            return False
        if self.mode in REPLACING:
            return True
        may_add = self.mode == "new_episodes" or self.run.begun(self.name).exists() or not self.path.exists()
        return may_add and not recorded

    def close(self) -> None:
        """Wait until all answers have ended, and check them."""
        with self._changed:
            while self._open and self._changed.wait(SETTLE_SECONDS):
                pass
            if self._open:
                self._tell_refused(
                    f"{self._open} answers", "they had not ended; end what asks before the recording ends"
                )
            self._open = 0
        self.settle()

    def save(self) -> None:
        """Write what has been kept so far, and go on. Raises what `finish` raises."""
        with self._settling:
            new, self._new = self._new, []
        if self.name and new:
            self._write(self.name, [interaction for _, interaction in sorted(new, key=lambda item: item[0])])

    def finish(self) -> list[Interaction]:
        """Write the recordings since `begin`, and return them. Raises CassetteError when the file cannot be read, and
        SecretFound when a note has a secret."""
        self.close()
        name, new = self._ended()
        if name and new:
            self._write(name, new)
        return new

    def keep_back(self, why: str) -> None:
        """Drop the recordings since `begin` instead of writing them. The summary gives the reason."""
        self.close()
        if self._new:
            self._tell_refused(f"{len(self._new)} answers", why)
        self._ended()

    def _ended(self) -> tuple[str | None, list[Interaction]]:
        with self._changed:
            new, name = [interaction for _, interaction in sorted(self._new, key=lambda item: item[0])], self.name
            self._new, self.name = [], None
        return name, new

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    def rules(self) -> Slack:
        """What may vary in the requests of the open cassette. Raises CassetteError."""
        return self.slack + of_cassette(cassette.load(self.path)) if self.path.exists() else self.slack

    # --- one request --------------------------------------------------------------------------------------------------

    def start(self, request: Request) -> Place:
        """Call this before a request goes to the live service. Returns its place in the cassette. Raises
        RecordingRefused or BudgetSpent when the request must not go."""
        self._refuse_what_cannot_be_kept(request)
        self.run.reserve(expected_tokens(request))
        with self._changed:
            self._open += 1
            self._order += 1
            return Place(self._number, self._order)

    def end(self, place: Place, request: Request, response: Response | None, refused: Told = lambda _: None) -> None:
        """Call this after the answer, with None when there was none. It stores the answer. `settle` checks it later,
        because that takes a while and the next request may be waiting. `refused` gets the reason when it fails."""
        self.run.spend(used(self._asked(request).request, response) if response else Spent(requests=1))
        with self._changed:
            if place.cassette == self._number and self.name:
                self._unsettled += [Unsettled(place, request, response, refused)] if response else []
                self._open -= 1
                self._changed.notify_all()

    def settle(self) -> None:
        """Check the answers so far, and keep those that pass. Call this in a quiet moment."""
        with self._settling:
            with self._changed:
                unsettled, self._unsettled = self._unsettled, []
            for answer in unsettled:
                if kept := self._kept(answer.request, answer.response, answer.refused):
                    self._new.append((answer.place, kept))
                    self.told_of(kept)

    @property
    def is_quiet(self) -> bool:
        return not self._open

    def _kept(self, request: Request, response: Response, refused: Told) -> Interaction | None:
        what = f"{request.method} {request.uri.partition('?')[0].removeprefix(self.known.base)}: {response.status}"
        why = "an error; --record-errors keeps errors"
        if response.status < 400 or self.keep_errors:
            try:
                kept = scrubbed(Interaction(request, response), self.known)
            except SecretFound as found:
                why = str(found)
            else:
                frames = len(response.frames())
                self.say(f"recorded for {self.name}: {what}, {frames} frames, {response.outcome}")
                return kept
        self._tell_refused(what, why)
        refused(why)
        return None

    def _holds_synthetic(self) -> bool:
        """Whether the cassette was written by hand. Looks once: a recorded cassette does not become one."""
        if self._synthetic is None:
            self._synthetic = self.path.exists() and is_synthetic(cassette.load(self.path))
        return self._synthetic

    def _tell_refused(self, what: str, why: str) -> None:
        self.say(f"NOT recorded for {self.name}: {what}: {why}")
        self.run.note(cassette=self.name, refused=what, why=why)

    def _refuse_what_cannot_be_kept(self, request: Request) -> None:
        if self.mode == "new_episodes" and self._holds_synthetic():
            raise RecordingRefused(
                f"{self.name} is synthetic, and real answers must not hide among written ones. Record into a cassette "
                "of another name, or replace it whole with --record-mode=rewrite."
            )
        require_sendable(self._asked(request), self.known)

    def _asked(self, request: Request) -> Interaction:
        """The interaction as the library would match it."""
        return at_placeholder(Interaction(request, Response(200, "OK", (), b"")), self.known.base)

    def _write(self, name: str, new: list[Interaction]) -> None:
        path, begun = self.folder / f"{name}.yaml", self.run.begun(name)
        with locked(path):
            afresh = self.mode == "rewrite" and not begun.exists()
            there = cassette.load(path) if path.exists() else Cassette(path, ())
            stays, slack = () if is_synthetic(there) else there.interactions, self.slack + of_cassette(there)
            if afresh:
                keys = {identity(interaction, slack) for interaction in new}
                stays = tuple(interaction for interaction in stays if identity(interaction, slack) in keys)
            after = merged(stays, new, slack, replacing=self.mode in REPLACING)
            if tuple(after) != there.interactions:
                notes = self._notes_for(there)
                require_clean(notes, self.known)
                cassette.save(path, after, notes)
            begun.touch()
        proposed = proposal(after, new, slack)
        if proposed:
            self.say(f"{name}: {proposed}")
        self.run.note(
            cassette=name, recorded=len(new), holds=len(after), **({"proposed": proposed} if proposed else {})
        )
        self.declared = slack

    def _notes_for(self, there: Cassette) -> dict[str, Any]:
        old = {"about": there.notes.get("about") or self._about or "Recorded."}
        old |= {name: note for name, note in there.notes.items() if name == SLACK or not is_synthetic(there)}
        return old | {"origin": "recorded", "recorded": date.today().isoformat()} | self.notes
