"""Transcriptions and translations, improvised: what Azure refuses, and for all else a text that says what arrived."""

from ...tape.interaction import Response
from .. import transcripts
from ..asked import Asked
from ..upload import Upload
from .refusal import Refused, require_one_of

LARGEST = 25 * 2**20  # bytes (OpenAI, "Speech to text"; Microsoft Learn, "Whisper quickstart")
NAMED = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")  # as the service knows a file
GRANULARITIES = ("word", "segment")
TOKENS_ONLY = ("json", "text")  # forms of models that are none of Whisper's


def make(asked: Asked) -> Response:
    """Raises Refused."""
    body, file = asked.body, asked.body["file"]
    if not isinstance(file, Upload):
        raise Refused("Invalid type for 'file': expected a file.", "file", "invalid_type")
    if len(file.data) > LARGEST:
        message = f"Maximum content size limit ({LARGEST}) exceeded ({len(file.data)} bytes read)"
        raise Refused(message, None, None, 413)
    if file.filename.rpartition(".")[2].lower() not in NAMED:
        raise Refused(f"Unrecognized file format. Supported formats: {list(NAMED)}", "file", None)
    form = body.get("response_format", "json")
    require_one_of("response_format", form, transcripts.FORMS)
    if "transcribe" in asked.deployment and form not in TOKENS_ONLY:
        message = (
            f"response_format '{form}' is not compatible with model '{asked.deployment}'. Use 'json' or 'text' instead."
        )
        raise Refused(message, "response_format", "unsupported_value")
    wanted = body.get("timestamp_granularities", [])
    for granularity in wanted:
        require_one_of("timestamp_granularities", granularity, GRANULARITIES)
    if wanted and form != "verbose_json":
        message = "timestamp_granularities needs response_format 'verbose_json'."
        raise Refused(message, "timestamp_granularities", "invalid_value")
    return transcripts.response(asked)
