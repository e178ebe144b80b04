"""The load: one chat completion after another, over a number of connections."""

import json
from dataclasses import dataclass

KB = 1_000


@dataclass(frozen=True)
class Workload:
    """`body_bytes` is the size of the prompt, or of the image in it. `frames` > 0 asks for a stream of that many
    frames, `every_ms` apart (0: at once). `seconds` 0 means one answer per connection. The connections start within
    `ramp_ms`. The caller closes the connection after `leave_after` frames."""

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


def streams(number: int, name: str = "200 frames every 20 ms") -> Workload:
    """Many callers at once. Each gets 200 frames, one every 20 ms, which takes four seconds."""
    name = f"{name}, {number} streams"
    return Workload(name, number, 0, frames=200, every_ms=20, ramp_ms=min(number, 1_000))


def chats(connections: int, seconds: float, name: str = "json") -> Workload:
    return Workload(f"{name}, {connections} connections", connections, seconds)


def workloads(seconds: float) -> list[Workload]:
    """The workloads of a run; `seconds` is the length of a sample."""
    return [
        *(chats(connections, seconds) for connections in (1, 16, 64)),
        Workload("100 KB prompt, 16 connections", 16, seconds, body_bytes=100 * KB),
        Workload("5 MB image, 4 connections", 4, seconds, body_bytes=5_000 * KB, image=True),
        *(Workload(f"burst of 200 frames, {n} streams", n, seconds, frames=200) for n in (1, 16)),
        *(streams(number) for number in (1, 50, 500, 1_000)),
        Workload("caller leaves", 1, seconds, frames=200, every_ms=5, leave_after=5),
    ]
