"""Images as the API gives them: base64 in JSON, or in events with partial images before the last (OpenAI API reference,
"Create image", "Create image edit"; Microsoft Learn, "How to use Azure OpenAI image generation models")."""

import base64
from collections.abc import Iterator
from typing import Any

from ..tape.cassette import Response
from ..tape.estimate import PARTIAL_TOKENS, PICTURE_TOKENS
from . import events, headers
from .asked import Asked
from .media import picture
from .seed import CREATED
from .text import compact, pieces
from .upload import Upload

USUAL_SIZE, USUAL_QUALITY = "1024x1024", "medium"  # what `auto` becomes here
TOKENS = {  # low, medium and high quality (OpenAI, "Image generation": cost)
    "1024x1024": {"low": 272, "medium": 1_056, "high": 4_160},
    "1024x1536": {"low": 408, "medium": 1_584, "high": 6_240},
    "1536x1024": {"low": 400, "medium": 1_568, "high": 6_208},
}
KINDS = {"images/generations": "image_generation", "images/edits": "image_edit"}  # of events
AUTO = (None, "auto")


class Drawing:
    """What was asked for, as pictures that show it."""

    def __init__(self, asked: Asked) -> None:
        body = asked.body
        self.asked = asked
        self.size = USUAL_SIZE if body.get("size") in AUTO else str(body["size"])
        self.quality = USUAL_QUALITY if body.get("quality") in AUTO else str(body["quality"])
        self.background = "transparent" if body.get("background") == "transparent" else "opaque"
        given = body.get("image")
        self.images: list[Upload] = given if isinstance(given, list) else [given] if given else []
        self.text = " + ".join([str(body["prompt"]), *(image.filename for image in self.images)])
        self.count, self.partials = int(body.get("n") or 1), int(body.get("partial_images") or 0)

    def drawn(self, number: int, share: float = 1.0) -> str:
        """In base64. A share of the text stands in a partial image."""
        width, height = map(int, self.size.split("x"))
        shades = self.asked.seed.numbers(f"colours {number}", 6)
        ink, paper = (shades[0] % 96, shades[1] % 96, shades[2] % 96), tuple(192 + shade % 64 for shade in shades[3:])
        text = self.text[: round(len(self.text) * share)]
        made = picture(text, width, height, ink, (paper[0], paper[1], paper[2]), self.background == "transparent")
        return base64.b64encode(made).decode()

    @property
    def look(self) -> dict[str, str]:
        """What the API repeats."""
        told = {"background": self.background, "output_format": "png", "quality": self.quality, "size": self.size}
        return {**told}

    @property
    def usage(self) -> dict[str, Any]:
        asked = {"text_tokens": len(pieces(self.text)), "image_tokens": PICTURE_TOKENS * len(self.images)}
        each = TOKENS.get(self.size, TOKENS[USUAL_SIZE]).get(self.quality, 0)
        given, drawn = sum(asked.values()), each * self.count + PARTIAL_TOKENS * self.partials * self.asked.streams
        counted = {"input_tokens": given, "input_tokens_details": asked, "output_tokens": drawn}
        return {"total_tokens": given + drawn, **counted}


def response(asked: Asked) -> Response:
    drawing = Drawing(asked)
    if asked.streams:
        return events.response(asked, _events(drawing))
    data = [{"b64_json": drawing.drawn(number)} for number in range(drawing.count)]
    told = {"created": CREATED, **drawing.look, "data": data, "usage": drawing.usage}
    if is_older(asked):
        told = {"created": CREATED, "data": [_older(asked, item["b64_json"]) for item in data]}
    body = compact(told).encode()
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, body), body)


def is_older(asked: Asked) -> bool:
    """Whether the model is of DALL-E, which says less, gives addresses as well, and does not stream."""
    return "dall-e" in asked.deployment


def _older(asked: Asked, coded: str) -> dict[str, str]:
    named = {"revised_prompt": str(asked.body["prompt"])}
    if asked.body.get("response_format") == "b64_json":
        return named | {"b64_json": coded}
    return named | {"url": f"data:image/png;base64,{coded}"}  # RFC 2397: nothing serves it elsewhere


def _events(drawing: Drawing) -> Iterator[dict[str, Any]]:
    kind = KINDS[drawing.asked.operation]
    for number in range(drawing.count):
        for index in range(drawing.partials):
            share = (index + 1) / (drawing.partials + 1)
            told = {"type": f"{kind}.partial_image", "partial_image_index": index}
            yield told | {"b64_json": drawing.drawn(number, share), "created_at": CREATED, **drawing.look}
        told = {"type": f"{kind}.completed", "b64_json": drawing.drawn(number)}
        yield told | {"created_at": CREATED, **drawing.look, "usage": drawing.usage}
