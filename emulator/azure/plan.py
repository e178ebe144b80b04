"""The plan of one answer: the part that is sent, its times, and its end."""

import functools
from dataclasses import dataclass, field, replace

from ..match.library import Take
from ..tape.interaction import COMPLETE, Headers, Response
from ..tape.stream import pieces
from .asgi import Message, head

CLEANLY = "cleanly"  # ends as if it were complete
STALL = "stall"  # nothing more comes, and nothing ends
NOT_REPLAYED = ("content-length", "transfer-encoding", "connection", "keep-alive")  # the server's own business


@dataclass(slots=True)
class Plan:
    """`response` leaves. It may be the beginning of `whole`. `wait` and `pause` are seconds before the headers and
    before each frame. `ending` is one of tape.interaction.OUTCOMES, CLEANLY or STALL. `raw` is written past HTTP before
    the end. With `silent`, no headers leave. `ends` says whether a client sees a proper end. `messages` has the body's
    messages, each with its recorded seconds after the head. `bodies` has their bytes."""

    response: Response
    wait: float = 0.0
    pause: float = 0.0
    ending: str = COMPLETE
    raw: bytes = b""
    silent: bool = False
    whole: Response | None = None
    ends: bool = field(init=False)
    headers: Headers = field(init=False)
    head: Message = field(init=False)
    messages: list[tuple[float, Message]] = field(init=False)
    bodies: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.ends = self.ending in (COMPLETE, CLEANLY)
        self.headers = self._headers()
        self.head = head(self.response.status, self.headers)
        self.messages = self._messages()
        self.bodies = [message["body"] for _, message in self.messages]

    def _headers(self) -> Headers:
        """The headers. An answer that breaks off promises its whole length."""
        kept = tuple([pair for pair in self.response.headers if _is_replayed(pair[0])])
        if self.response.header("transfer-encoding"):
            return kept
        whole = self.response if self.ends else self.whole or self.response
        promised = "" if self.ends else whole.header("content-length")
        return (*kept, ("content-length", promised or str(len(whole.body))))

    def _messages(self) -> list[tuple[float, Message]]:
        played = pieces(self.response)
        more = [number < len(played) or not self.ends for number in range(1, len(played) + 1)]
        return [
            (piece.at, {"type": "http.response.body", "body": piece.data, "more_body": is_more})
            for piece, is_more in zip(played, more, strict=True)
        ]


@functools.lru_cache(1_024)
def _is_replayed(name: str) -> bool:
    return name.lower() not in NOT_REPLAYED


def as_recorded(response: Response) -> Plan:
    return Plan(response, ending=response.outcome)


def with_headers(response: Response, said: dict[str, str]) -> Response:
    """The response with these headers in place of its recorded ones of the same names."""
    kept = [(name, value) for name, value in response.headers if name.lower() not in said]
    return replace(response, headers=(*kept, *said.items())) if said else response


class Plans(dict[Take, Plan]):
    """The plans of unchanged recordings. A plan is made when its recording is first played."""

    def __missing__(self, take: Take) -> Plan:
        self[take] = plan = as_recorded(take.interaction.response)
        return plan
