"""How one answer leaves: what is sent of it, when, and to what end."""

from dataclasses import dataclass
from functools import cached_property

from ..tape.interaction import COMPLETE, Headers, Response
from ..tape.stream import Piece, pieces
from .asgi import Message, head

CLEANLY = "cleanly"  # ends as if it were complete
STALL = "stall"  # nothing more comes, and nothing ends
NOT_REPLAYED = ("content-length", "transfer-encoding", "connection", "keep-alive")  # the server's own business


@dataclass(frozen=True)
class Plan:
    """`response` is what leaves, of `whole` where that is more. `wait` and `pause` are seconds before the headers and
    before each frame; `ending` is one of tape.interaction.OUTCOMES, CLEANLY or STALL; `raw` is written past HTTP before
    it; `silent`: without headers."""

    response: Response
    wait: float = 0.0
    pause: float = 0.0
    ending: str = COMPLETE
    raw: bytes = b""
    silent: bool = False
    whole: Response | None = None

    @cached_property
    def ends(self) -> bool:
        """Whether a client sees a proper end."""
        return self.ending in (COMPLETE, CLEANLY)

    @cached_property
    def headers(self) -> Headers:
        """An answer that breaks off promises its whole length."""
        kept = tuple(pair for pair in self.response.headers if pair[0].lower() not in NOT_REPLAYED)
        if self.response.header("transfer-encoding"):
            return kept
        whole = self.response if self.ends else self.whole or self.response
        promised = "" if self.ends else whole.header("content-length")
        return (*kept, ("content-length", promised or str(len(whole.body))))

    @cached_property
    def head(self) -> Message:
        return head(self.response.status, self.headers)

    @cached_property
    def pieces(self) -> list[Piece]:
        return pieces(self.response)


def as_recorded(response: Response) -> Plan:
    return Plan(response, ending=response.outcome)
