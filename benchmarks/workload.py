"""What is asked for: one chat completion after another, over a number of connections."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

KB = 1_000


@dataclass(frozen=True)
class Workload:
    """`body_bytes` is the size of the prompt, or of the image in it. `frames` > 0 asks for a stream of so many,
    `every_ms` apart (0: at once). `seconds` 0 means one answer per connection; the connections start over `ramp_ms`.
    `leave_after` frames the caller closes the connection."""

    name: str
    connections: int
    seconds: float
    body_bytes: int = 1 * KB
    image: bool = False
    frames: int = 0
    every_ms: int = 0
    ramp_ms: int = 0
    leave_after: int = 0

    def body(self) -> bytes:
        padding = "a word or two " * (self.body_bytes // 14)
        asked = f"frames={self.frames} every_us={1000 * self.every_ms} " if self.frames else ""
        content: object = asked + padding
        if self.image:
            picture = "data:image/png;base64," + "iVBORw0KGgo" * (self.body_bytes // 11)
            content = [{"type": "text", "text": asked}, {"type": "image_url", "image_url": {"url": picture}}]
        stream = {"stream": True} if self.frames else {}
        return json.dumps(
            {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}], **stream}
        ).encode()


def workloads(seconds: float) -> Iterator[Workload]:
    """Those of a run; `seconds` is the length of a sample."""
    for connections in (1, 16, 64):
        yield Workload(f"json, {connections} connections", connections, seconds)
    yield Workload("100 KB prompt, 16 connections", 16, seconds, body_bytes=100 * KB)
    yield Workload("5 MB image, 4 connections", 4, seconds, body_bytes=5_000 * KB, image=True)
    for connections in (1, 16):
        yield Workload(f"burst of 200 frames, {connections} streams", connections, seconds, frames=200)
    for streams in (1, 50, 500, 1_000):
        yield Workload(
            f"200 frames every 20 ms, {streams} streams",
            streams,
            0,
            frames=200,
            every_ms=20,
            ramp_ms=min(streams, 20) * 50,
        )
    yield Workload("caller leaves", 1, seconds, frames=200, every_ms=5, leave_after=5)
