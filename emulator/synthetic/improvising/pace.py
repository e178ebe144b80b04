"""The speed of an improvised stream."""

from dataclasses import dataclass, replace

from ...tape.interaction import Response
from ..text import FIRST_FRAME_MS, FRAME_MS

END = b"\n\n"  # ends a frame; a frame has none inside, as JSON escapes line feeds in its strings


@dataclass(frozen=True)
class Pace:
    """Milliseconds until the first frame, and frames a second after it. A frame has about one token. The fake Azure's
    time scale speeds up both."""

    first_token_ms: float = FIRST_FRAME_MS
    tokens_per_second: float = 1000 / FRAME_MS

    def of(self, response: Response) -> Response:
        """The answer with times for its frames. An answer that is not a stream stays as it is."""
        if not response.is_stream:
            return response
        gap = 1000 / self.tokens_per_second
        sizes = tuple(len(frame) + len(END) for frame in response.body.split(END)[:-1])
        times = tuple(self.first_token_ms + gap * number for number in range(len(sizes)))
        return replace(response, frame_at_ms=times, frame_bytes=sizes)
