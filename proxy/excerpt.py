"""What is kept of an answer while it passes: its beginning and its end, however long it is."""

HEAD_BYTES = 4_096  # id and status of a Response, which come before the instructions that it repeats
TAIL_BYTES = 12_288  # of an answer, or of a stream's last event: usage, and after it up to 16 pairs of metadata
STREAM_TAIL_BYTES = 4_096  # of a stream's events before: why it ended, usage, an error
SLACK_BYTES = 1_024  # more than is asked for, so that not every chunk moves what is kept


class Excerpt:
    """The first `head_bytes` and at least the last `tail_bytes` of what was added."""

    __slots__ = ("head", "head_bytes", "tail", "tail_bytes")  # 1,000 streams have one each

    def __init__(self, tail_bytes: int = TAIL_BYTES, head_bytes: int = HEAD_BYTES) -> None:
        self.tail_bytes, self.head_bytes = tail_bytes, head_bytes
        self.head = b""  # empty while the tail has everything
        self.tail = b""

    def add(self, chunk: bytes) -> None:
        tail = self.tail + chunk  # the first chunk is not copied
        if len(tail) > self.tail_bytes + SLACK_BYTES:
            self.head = self.head or tail[: self.head_bytes]
            tail = tail[-self.tail_bytes :]
        self.tail = tail

    def begin_again(self, text: bytes) -> None:
        """As if nothing had come before this, which is the last event."""
        self.tail_bytes, self.head_bytes, self.head, self.tail = TAIL_BYTES, HEAD_BYTES, b"", b""
        self.add(text)
