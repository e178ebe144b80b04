"""Embeddings as Azure sends them (recorded 2024): JSON with two spaces of indent and a final newline. A vector is a
list of numbers, or base64 of little-endian 32-bit floats; the OpenAI SDK asks for base64."""

import base64
import struct
from collections.abc import Callable, Sequence
from typing import Any

from ..tape.cassette import Response
from . import headers
from .asked import Asked
from .text import pieces, pretty
from .vectors import places, size_of, vector

FLOAT = struct.Struct("<f")
Text = str | Sequence[int]  # or its tokens


def response(asked: Asked) -> Response:
    """The vectors of one text or of many. A text is a string or an array of tokens. Raises TypeError for another
    input."""
    texts = texts_of(asked.body.get("input"))
    size = int(asked.body.get("dimensions") or size_of(asked.model))
    encode: Callable[[str, int], Any] = _base64 if asked.body.get("encoding_format") == "base64" else vector
    tokens = sum(len(pieces(text)) if isinstance(text, str) else len(text) for text in texts)
    data = [
        {"object": "embedding", "index": index, "embedding": encode(_words(text), size)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    is_plain = encode is _base64 or all(min(map(abs, filter(None, one["embedding"]))) >= 1e-4 for one in data)
    body = pretty({"object": "list", "data": data, "model": asked.model, "usage": usage}, is_plain) + b"\n"
    return Response(200, "OK", headers.chat(asked.seed, asked.deployment, body), body)


def texts_of(given: Any) -> list[Text]:
    texts: list[Text] = [given] if isinstance(given, str) or _are_tokens(given) else given
    if isinstance(texts, list) and texts and all(isinstance(text, str) or _are_tokens(text) for text in texts):
        return texts
    raise TypeError("`input` is a string or an array of strings, of tokens, or of arrays of tokens")


def _are_tokens(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(type(token) is int for token in given)


def _words(text: Text) -> str:
    """The text's words. Each token counts as a word of its own, as only a tokenizer knows the real ones."""
    return text if isinstance(text, str) else " ".join(map(str, text))


def _base64(text: str, size: int) -> str:
    packed = bytearray(FLOAT.size * size)
    for place, value in places(text, size).items():
        FLOAT.pack_into(packed, FLOAT.size * place, value)
    return base64.b64encode(packed).decode()
