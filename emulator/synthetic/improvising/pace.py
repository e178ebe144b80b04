"""How fast an improvised stream is."""

from dataclasses import dataclass, replace

from ...tape.interaction import Response
from ..text import FIRST_FRAME_MS, FRAME_MS

END = b"\n\n"  # of each frame, and nowhere inside one: JSON has no line feeds in its strings


@dataclass(frozen=True)
class Pace:
    """Milliseconds to the first frame, and frames a second after it: a frame has about a token. The fake Azure's time
    scale makes it faster."""

    first_token_ms: float = FIRST_FRAME_MS
    tokens_per_second: float = 1000 / FRAME_MS

    def of(self, response: Response) -> Response:
        """The stream with this schedule; any other answer as it is."""
        if not response.is_stream:
            return response
        gap = 1000 / self.tokens_per_second
        sizes = tuple(len(frame) + len(END) for frame in response.body.split(END)[:-1])
        times = tuple(self.first_token_ms + gap * number for number in range(len(sizes)))
        return replace(response, frame_at_ms=times, frame_bytes=sizes)
