"""An excerpt of a passing answer: its beginning and its end, however long the answer is."""

HEAD_BYTES = 4_096  # holds a Response's id and status, which come before the instructions that it repeats
TAIL_BYTES = 12_288  # of an answer or a stream's last event: usage, then up to 16 pairs of metadata
STREAM_TAIL_BYTES = 4_096  # of a stream's last events: why it ended, usage, an error
SLACK_BYTES = 1_024  # kept beyond the tail, so that not every chunk copies the tail


class Excerpt:
    """The first `head_bytes` and at least the last `tail_bytes` of all chunks."""

    __slots__ = ("head", "head_bytes", "tail", "tail_bytes")  # each of 1,000 streams has one

    def __init__(self, tail_bytes: int = TAIL_BYTES, head_bytes: int = HEAD_BYTES) -> None:
        self.tail_bytes, self.head_bytes = tail_bytes, head_bytes
        self.head = b""  # empty while the tail holds everything
        self.tail = b""

    def add(self, chunk: bytes) -> None:
        tail = self.tail + chunk  # b"" + chunk copies nothing
        if len(tail) > self.tail_bytes + SLACK_BYTES:
            self.head = self.head or tail[: self.head_bytes]
            tail = tail[-self.tail_bytes :]
        self.tail = tail

    def begin_again(self, text: bytes) -> None:
        """Forgets all earlier chunks: `chunk` is the last event."""
        self.tail_bytes, self.head_bytes, self.head, self.tail = TAIL_BYTES, HEAD_BYTES, b"", b""
        self.add(text)
