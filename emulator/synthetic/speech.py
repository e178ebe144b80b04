"""Speech as the API gives it: the bytes of a sound file, or events with pieces of it in base64 (OpenAI API reference,
"Create speech"; the content type from Azure's description)."""

import base64
from collections.abc import Iterator
from typing import Any

from ..tape.cassette import Response
from . import events, headers
from .asked import Asked
from .media import RATE, SAMPLE_BYTES, beeps, sound

BYTES = "application/octet-stream"
USUAL_FORMAT = "mp3"
PIECE_BYTES = 8_192  # of sound in an event
TOKENS_PER_SECOND = 20  # of sound


def response(asked: Asked) -> Response:
    """Beeps, one for each word."""
    samples = beeps(str(asked.body["input"]), float(asked.body.get("speed") or 1))
    data = sound(samples, str(asked.body.get("response_format") or USUAL_FORMAT))
    if asked.body.get("stream_format") == "sse":
        seconds = len(samples) / SAMPLE_BYTES / RATE
        return events.response(asked, _events(asked, data, round(seconds * TOKENS_PER_SECOND)))
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, data, BYTES), data)


def _events(asked: Asked, data: bytes, spoken: int) -> Iterator[dict[str, Any]]:
    for at in range(0, len(data), PIECE_BYTES):
        coded = base64.b64encode(data[at : at + PIECE_BYTES]).decode()
        yield {"type": "speech.audio.delta", "audio": coded}
    usage = {"input_tokens": asked.tokens, "output_tokens": spoken, "total_tokens": asked.tokens + spoken}
    yield {"type": "speech.audio.done", "usage": usage}
