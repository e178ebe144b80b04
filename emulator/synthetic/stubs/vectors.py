"""Vectors that a test gives, in Azure's answer for embeddings."""

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...tape.interaction import Response
from ..text import pretty
from .error import StubError
from .prompt import Prompt

Vectors = tuple[tuple[float, ...], ...]


def vectors_of(given: Sequence[Any]) -> Vectors:
    """Raises StubError."""
    for vector in given:
        is_list = isinstance(vector, Sequence) and not isinstance(vector, str)
        if not is_list or not vector or not all(type(number) in (int, float) for number in vector):
            raise StubError(
                f"embeds() takes vectors, each a list of numbers, as in .embeds([0.6, 0.8]), not {vector!r}."
            )
        try:
            struct.pack(f"<{len(vector)}f", *vector)
        except (OverflowError, struct.error) as error:
            raise StubError(f"embeds(): {max(vector, key=abs)} is too large for 32 bits.") from error
    return tuple(tuple(map(float, vector)) for vector in given)


def why_not(vectors: Vectors, prompt: Prompt) -> list[str]:
    """Why these vectors cannot be the answer to the request."""
    reasons = []
    if len(vectors) not in (0, 1, prompt.inputs):
        reasons.append(f"the stub has {len(vectors)} vectors, the request has {prompt.inputs} inputs")
    asked = prompt.body.get("dimensions")
    if asked and any(len(vector) != asked for vector in vectors):
        reasons.append(f"the request asks for {asked} dimensions")
    return reasons


def with_vectors(response: Response, vectors: Vectors, as_base64: bool) -> Response:
    """The answer with these vectors in place of its own. One vector is repeated for all inputs."""
    told = json.loads(response.body)
    chosen = vectors * len(told["data"]) if len(vectors) == 1 else vectors
    for item, vector in zip(told["data"], chosen, strict=True):
        packed = struct.pack(f"<{len(vector)}f", *vector)
        item["embedding"] = base64.b64encode(packed).decode() if as_base64 else list(vector)
    body = pretty(told) + b"\n"
    sized = ((name, str(len(body)) if name == "Content-Length" else value) for name, value in response.headers)
    return replace(response, headers=tuple(sized), body=body)
