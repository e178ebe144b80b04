"""What is kept of an answer while it passes: its beginning and its end, however long it is."""

HEAD_BYTES = 4_096  # id and status of a Response, which come before the instructions that it repeats
TAIL_BYTES = 12_288  # of an answer, or of a stream's last event: usage, and after it up to 16 pairs of metadata
STREAM_TAIL_BYTES = 4_096  # of a stream's events before: why it ended, usage, an error; 1,000 streams hold 8 MB of it


class Excerpt:
    """The first HEAD_BYTES and at least the last `tail_bytes` of what was added."""

    def __init__(self, tail_bytes: int = TAIL_BYTES) -> None:
        self.tail_bytes = tail_bytes
        self.head = b""  # empty while the tail has everything
        self.chunks: list[bytes] = []
        self.kept = 0

    def add(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.kept += len(chunk)
        if self.kept > 2 * self.tail_bytes:
            kept = self.tail
            self.head = self.head or kept[:HEAD_BYTES]
            self.chunks, self.kept = [kept[-self.tail_bytes :]], self.tail_bytes

    def begin_again(self, text: bytes) -> None:
        """As if nothing had come before this, which is the last event."""
        self.tail_bytes, self.head, self.chunks, self.kept = TAIL_BYTES, b"", [], 0
        self.add(text)

    @property
    def tail(self) -> bytes:
        return b"".join(self.chunks)
