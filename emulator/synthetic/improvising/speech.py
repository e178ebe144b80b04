"""Speech, improvised: what Azure refuses, and beeps for all else."""

from ...tape.interaction import Response
from .. import speech
from ..asked import Asked
from ..media import FORMATS
from .refusal import Refused, missing, require_one_of

LONGEST = 4_096  # characters (OpenAI API reference, "Create speech")
SPEEDS = (0.25, 4.0)
VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse"),
    *("marin", "cedar"),
)
NO_EVENTS = ("tts-1", "tts-1-hd", "tts", "tts-hd")  # these do not stream events; tts and tts-hd are Azure's names


def make(asked: Asked) -> Response:
    """Raises Refused."""
    body = asked.body
    if "voice" not in body:
        raise missing("voice")
    if len(body["input"]) > LONGEST:
        message = f"Expected a string with maximum length {LONGEST}, but got a string with length {len(body['input'])}."
        raise Refused(f"Invalid 'input': string too long. {message}", "input", "string_above_max_length")
    if not isinstance(body["voice"], dict):  # a voice of one's own is an object with its id
        require_one_of("voice", body["voice"], VOICES)
    require_one_of("response_format", body.get("response_format", speech.USUAL_FORMAT), FORMATS)
    require_one_of("stream_format", body.get("stream_format", "audio"), ("audio", "sse"))
    speed = body.get("speed", 1.0)
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise Refused("Invalid 'speed': expected a number from 0.25 to 4.0.", "speed", "invalid_value")
    if body.get("stream_format") == "sse" and asked.deployment in NO_EVENTS:
        message = f"stream_format 'sse' is not compatible with model '{asked.deployment}'. Use 'audio' instead."
        raise Refused(message, "stream_format", "unsupported_value")
    return speech.response(asked)
