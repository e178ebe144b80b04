"""Embeddings as Azure sends them (recorded 2024): JSON with two spaces of indent and a final newline, each vector a
list of numbers, or base64 of little-endian 32-bit floats, which is what the OpenAI SDK asks for."""

import base64
import math
import struct
from typing import Any

from ..tape.cassette import Response
from . import headers
from .asked import Asked
from .seed import Seed
from .text import pieces, pretty

DIMENSIONS = 1_536  # text-embedding-3-small's


def response(asked: Asked) -> Response:
    given = asked.body["input"]
    texts = [given] if isinstance(given, str) else list(given)
    size = int(asked.body.get("dimensions") or DIMENSIONS)
    encode = _base64 if asked.body.get("encoding_format") == "base64" else list
    tokens = sum(len(pieces(str(text))) for text in texts)
    data = [
        {"object": "embedding", "index": index, "embedding": encode(vector(str(text), size))}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    body = pretty({"object": "list", "data": data, "model": asked.model, "usage": usage}) + b"\n"
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, body), body)


def vector(text: str, size: int) -> list[float]:
    """A unit vector of 32-bit floats that depends on the text alone."""
    raw = [Seed(text).number(str(at), 2_001) / 1_000 - 1 for at in range(size)]
    length = math.hypot(*raw)
    return [_single(value / length) for value in raw]


def _single(value: float) -> float:
    """The value as a 32-bit float holds it, in the digits that Azure prints."""
    return float(f"{struct.unpack('<f', struct.pack('<f', value))[0]:.8g}")


def _base64(vector: list[float]) -> Any:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
