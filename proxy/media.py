"""Routes of sounds, images and files: which there are, and what a call of them takes where Azure tells no tokens."""

import math

from starlette.datastructures import Headers

from .form import Form, read_form
from .limits import values
from .model import Members

SPEECH = "audio/speech"
WRITTEN_DOWN = ("audio/transcriptions", "audio/translations")
FORMS = (*WRITTEN_DOWN, "images/edits")  # their bodies are forms
MEDIA = (*FORMS, SPEECH, "images/generations")
CONTAINER_FILE = "containers/{container_id}/files/{file_id}/content"
MAY_BE_EMPTY = (*WRITTEN_DOWN, CONTAINER_FILE)  # the text of silence; a file

# OpenAI's guide to the costs of its Realtime API: a token stands for 100 ms of sound that a model hears, or for 50 ms
# of sound that it speaks. A person speaks about 15 characters a second.
HEARD_TOKENS_A_SECOND = 10
SPOKEN_TOKENS_A_CHARACTER = 20 / 15
HEARD_BYTES_A_TOKEN = 400  # 32 kbit/s, a usual rate of recorded speech
HEARD_TOKENS_A_WRITTEN_ONE = 3  # 150 words a minute

# OpenAI's guide to image generation, gpt-image-1: the tokens of the largest size, by quality.
IMAGE_TOKENS = {"low": 408, "medium": 1_584, "standard": 1_584}
BEST_IMAGE_TOKENS = 6_240  # of any other quality: `auto` may become the best one
PARTIAL_IMAGE_TOKENS = 100
MOST_IMAGES = 100.0  # a larger wish counts as this; Azure takes up to 10


def form_of(headers: Headers, body: bytes) -> Form | None:
    """The form that the body of one of FORMS is; None where it should be JSON, in which OpenAI takes edits, too. Raises
    ProxyError."""
    kinds = headers.getlist("content-type")
    if len(kinds) == 1 and kinds[0].lower().startswith("application/json"):
        return None
    return read_form([kind.encode("latin-1") for kind in kinds], body)


def characters(members: Members) -> int:
    """The length of a text to speak. Azure bills some models by it."""
    return sum(len(text) for text in values(members, "input") if isinstance(text, str))


def heard_tokens(seconds: float | None, size: int) -> int:
    """Tokens of a sound of so many seconds, or of so many bytes where nobody knows the seconds."""
    return round(seconds * HEARD_TOKENS_A_SECOND) if seconds else size // HEARD_BYTES_A_TOKEN


def made_tokens(route: str, members: Members) -> int:
    """Tokens of the speech or the images that a call asks for."""
    if route == SPEECH:
        return round(characters(members) * SPOKEN_TOKENS_A_CHARACTER)
    quality = max((IMAGE_TOKENS.get(str(named), BEST_IMAGE_TOKENS) for named in values(members, "quality")), default=0)
    each = (quality or BEST_IMAGE_TOKENS) + PARTIAL_IMAGE_TOKENS * most(members, "partial_images")
    return round(each * max(1.0, most(members, "n")))


def most(members: Members, name: str) -> float:
    """The largest number under this name, from 0 to MOST_IMAGES. A form's numbers are texts."""
    return max((number(value) for value in values(members, name)), default=0.0)


def number(value: object) -> float:
    try:
        given = float(value) if isinstance(value, str | float) else math.nan
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(given) else min(max(0.0, given), MOST_IMAGES)
