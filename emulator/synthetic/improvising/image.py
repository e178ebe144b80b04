"""Images, improvised: what Azure refuses, and for all else a picture that shows the words of the prompt."""

import re

from ...tape.interaction import Response
from .. import images
from ..asked import Asked
from ..upload import Upload
from .refusal import Refused, missing, require_one_of, require_within

LARGEST = 50 * 2**20  # bytes of an image (Microsoft Learn, "How to use Azure OpenAI image generation models")
SIZES = (*images.TOKENS, "auto")
OLDER_SIZES = ("256x256", "512x512", "1024x1024", "1024x1792", "1792x1024")  # of DALL-E
FREE_SIZES = "gpt-image-2"  # takes any size within limits (OpenAI API reference, "Create image")
STEP, LARGEST_SIDE, LARGEST_RATIO = 16, 3_840, 3
FORMATS, IMPROVISED = ("png", "jpeg", "webp"), "png"
LONGEST = 32_000  # characters of a prompt
MOST, MOST_PARTIALS = 10, 3


def make(asked: Asked) -> Response:
    """Raises Refused."""
    body, form = asked.body, asked.body.get("output_format", IMPROVISED)
    if len(body["prompt"]) > LONGEST:
        message = (
            f"Expected a string with maximum length {LONGEST}, but got a string with length {len(body['prompt'])}."
        )
        raise Refused(f"Invalid 'prompt': string too long. {message}", "prompt", "string_above_max_length")
    if asked.operation == "images/edits":
        _check_images(body.get("image"))
    require_within(body, "n", 1, MOST)
    require_within(body, "partial_images", 0, MOST_PARTIALS)
    require_within(body, "output_compression", 0, 100)
    require_one_of("output_format", form, FORMATS)
    require_one_of("background", body.get("background", "auto"), ("transparent", "opaque", "auto"))
    if images.is_older(asked):
        require_one_of("size", body.get("size", images.USUAL_SIZE), OLDER_SIZES)
        require_one_of("response_format", body.get("response_format", "url"), ("url", "b64_json"))
    else:
        _check_size(asked)
        require_one_of("quality", body.get("quality", "auto"), ("low", "medium", "high", "auto"))
        if "response_format" in body:
            raise Refused("Unknown parameter: 'response_format'.", "response_format", "unknown_parameter")
    if form != IMPROVISED:
        message = (
            f"The emulator improvises images as {IMPROVISED} only, not as {form}. Leave output_format out, or record."
        )
        raise Refused(message, "output_format", "not_improvised")
    return images.response(asked)


def _check_images(given: object) -> None:
    files = given if isinstance(given, list) else [given]
    if given is None or not files:
        raise missing("image")
    for file in files:
        if not isinstance(file, Upload):
            raise Refused("Invalid type for 'image': expected a file.", "image", "invalid_type")
        if len(file.data) > LARGEST:
            raise Refused(
                f"Invalid 'image': an image has at most {LARGEST // 2**20} MB.", "image", "image_too_large", 413
            )


def _check_size(asked: Asked) -> None:
    size = asked.body.get("size", "auto")
    if asked.deployment.startswith(FREE_SIZES) and re.fullmatch(r"\d{2,4}x\d{2,4}", str(size)):
        width, height = sorted(map(int, size.split("x")))
        if width % STEP == height % STEP == 0 and height <= LARGEST_SIDE and height <= LARGEST_RATIO * width:
            return
    require_one_of("size", size, SIZES)
